/** The gate's eyes within a container: what listens there, what its user may do with uploads, what its image's HEALTHCHECK says. */
import { execIn } from "../runtime/docker-exec.js";
import { messageOf } from "../runtime/errors.js";
import type { Inside } from "./model.js";

/** What is used of Docker's inspection. */
export interface Insides {
  Id: string;
  /** `sha256:…` */
  Image?: string;
  State: { Running: boolean };
  Config: { Healthcheck?: { Test?: string[]; Timeout?: number } | undefined };
  Mounts?: { Type: string; Name?: string | undefined; Destination: string }[];
}

/** Milliseconds that a look may take. */
const WITHIN_MS = 10_000;
/** Entries of a volume that are tried. */
const TRIED = 500;
/** Nanoseconds, as Docker has them, in a millisecond. */
const NANOSECONDS = 1_000_000;
/** Docker's own when an image names none, milliseconds. */
const HEALTHCHECK_MS = 30_000;
/** Characters of what a HEALTHCHECK says that are kept. */
const EXCERPT = 160;

/**
 * Needs nothing but a shell. Prints `user UID GID` of the container's main process, `own UID` of itself, and `listens ADDRESS`, in the
 * kernel's hexadecimal, for each socket that listens (state 0A) at the port, and `package NAME-VERSION.dist-info` of two that are installed.
 */
const LOOK = `port=$(printf ':%04X' "$1")
while read -r key value rest; do case $key in Uid:) u=$value;; Gid:) g=$value;; esac; done </proc/1/status
while read -r key value rest; do case $key in Uid:) own=$value;; esac; done </proc/self/status
echo "user $u $g"; echo "own $own"; echo "read"
for file in /proc/net/tcp /proc/net/tcp6; do
  [ ! -r $file ] || while read -r number address remote state rest; do
    case $state$address in 0A*$port) echo "listens \${address%:*}";; esac
  done <$file
done
for info in "\${VIRTUAL_ENV:-/usr/local}" /usr/local /usr /opt/venv /app/.venv; do
  for found in "$info"/lib/python3*/site-packages/streamlit-*.dist-info "$info"/lib/python3*/site-packages/tornado-*.dist-info; do
    [ ! -d "$found" ] || echo "package \${found##*/}"
  done
done`;

/** Prints the first path below a volume that its user cannot work with: `unwritable PATH`, `unreadable PATH`. Writes nothing. */
const VOLUMES = `for dir in "$@"; do
  [ -w "$dir" ] && [ -x "$dir" ] || { echo "unwritable $dir"; continue; }
  [ -r "$dir" ] || { echo "unreadable $dir"; continue; }
  tried=0
  for file in "$dir"/* "$dir"/*/*; do
    [ $tried -lt ${TRIED} ] || break
    tried=$((tried + 1))
    [ ! -e "$file" ] || [ -r "$file" ] || { echo "unreadable $file"; break; }
  done
done`;

/**
 * @param port TCP port that the app should listen on
 * @param settled the app answers: only then its uploads and its HEALTHCHECK are tried
 * @returns null where nothing could be looked at, as in an image without a shell
 */
export async function lookInside(info: Insides, port: number, settled: boolean): Promise<Inside | null> {
  if (!info.State.Running) return null;
  try {
    const looked = await execIn(info.Id, ["sh", "-c", LOOK, "sh", String(port)], { timeoutMs: WITHIN_MS, maxBytes: 65_536 });
    if (looked.exitCode !== 0) return null;
    const seen = readLook(looked.stdout);
    if (!settled) return { ...seen, uploads: null, healthcheck: null };
    const [uploads, healthcheck] = await Promise.all([tryVolumes(info, seen.user), runHealthcheck(info)]);
    return { ...seen, uploads, healthcheck };
  } catch {
    // It ended meanwhile, or an exec hung: what Docker and the front door say of it decides.
    return null;
  }
}

/** Pure. @param text what LOOK printed */
export function readLook(text: string): Pick<Inside, "listens" | "user" | "packages"> {
  const lines = text.split("\n").map((line) => line.split(" "));
  const [, uid = "", gid = ""] = lines.find(([key]) => key === "user") ?? [];
  const addresses = lines.filter(([key]) => key === "listens").map(([, address = ""]) => address);
  const packages = [...text.matchAll(/^package (\w+)-([\w.]+)\.dist-info$/gm)].map(([, name = "", version = ""]) => [name, version] as const);
  return {
    user: /^\d+$/.test(uid) && /^\d+$/.test(gid) ? `${uid}:${gid}` : "", listens: [...new Set(addresses.map(reach))],
    // The first place is the one that the app's own environment names.
    packages: Object.fromEntries(packages.reverse()),
  };
}

/** The kernel writes each four bytes of an address in this machine's order, which is little-endian wherever Docker runs. */
function reach(address: string): "loopback" | "outside" {
  const isLoopback = /^[0-9A-F]{6}7F$/.test(address) || /^0{24}01000000$/.test(address) || /^0{16}FFFF0000[0-9A-F]{6}7F$/.test(address);
  return isLoopback ? "loopback" : "outside";
}

async function tryVolumes({ Id, Image = "", Mounts = [] }: Insides, user: string): Promise<Inside["uploads"]> {
  const volumes = Mounts.filter(({ Type }) => Type === "volume");
  if (volumes.length === 0) return null;
  const argv = ["sh", "-c", VOLUMES, "sh", ...volumes.map(({ Destination }) => Destination)];
  const { stdout } = await execIn(Id, argv, { timeoutMs: WITHIN_MS, maxBytes: 4096, ...(user === "" ? {} : { user }) });
  const [, fault, path = ""] = /^(unwritable|unreadable) (.+)$/m.exec(stdout) ?? [];
  if (fault !== "unwritable" && fault !== "unreadable") return null;
  const volume = volumes.find(({ Destination }) => path === Destination || path.startsWith(`${Destination}/`))?.Name ?? "";
  return { fault, path, volume, image: Image };
}

/** Docker runs it by itself too, but waits for its interval first: half a minute as a rule. */
async function runHealthcheck({ Id, Config: { Healthcheck } }: Insides): Promise<Inside["healthcheck"]> {
  const [how, ...rest] = Healthcheck?.Test ?? [];
  const argv = how === "CMD-SHELL" ? ["/bin/sh", "-c", rest.join(" ")] : how === "CMD" ? rest : [];
  if (argv.length === 0) return null;
  const own = (Healthcheck?.Timeout ?? 0) / NANOSECONDS;
  const timeoutMs = Math.min(own > 0 ? own : HEALTHCHECK_MS, HEALTHCHECK_MS);
  try {
    const { exitCode, stdout, stderr } = await execIn(Id, argv, { timeoutMs, maxBytes: 4096 });
    return { exitCode, output: `${stdout}\n${stderr}`.trim().split("\n").at(-1)?.slice(0, EXCERPT) ?? "" };
  } catch (error) {
    return { exitCode: -1, output: messageOf(error).slice(0, EXCERPT) };
  }
}
