import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/** A secret that occurs nowhere else, with characters that JSON, URLs and shells write differently. */
export function plantedSecret(): string {
  return `p1@nt3d-"${randomBytes(9).toString("hex")}"/+&\\$x`;
}

/** How a secret may be written down. Base64 has three forms, by its place in what is encoded; the ends that mix with neighbours are left out. */
export function encodings(secret: string): Record<string, string> {
  const bytes = Buffer.from(secret, "utf8");
  const base64 = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64").replace(/=+$/, "");
    return text.slice(offset === 0 ? 0 : 4, -3);
  });
  return {
    plain: secret,
    "JSON string": JSON.stringify(secret).slice(1, -1),
    "JSON string in a JSON string": JSON.stringify(JSON.stringify(secret)).slice(3, -3),
    URL: encodeURIComponent(secret),
    hex: bytes.toString("hex"),
    "base64 at 0": base64[0] ?? "", "base64 at 1": base64[1] ?? "", "base64 at 2": base64[2] ?? "",
    "base64url at 0": (base64[0] ?? "").replaceAll("+", "-").replaceAll("/", "_"),
  };
}

export interface Leak {
  readonly where: string;
  readonly encoding: string;
}

/** Looks for a secret in a text or bytes. */
export function leaksIn(where: string, content: string | Buffer, secret: string): Leak[] {
  const bytes = typeof content === "string" ? Buffer.from(content, "utf8") : content;
  return Object.entries(encodings(secret)).filter(([, written]) => bytes.includes(written)).map(([encoding]) => ({ where, encoding }));
}

/** Looks for a secret in every file below a directory (names too), inside gzip as well. Links are not followed; `skip` names path prefixes to leave out. */
export function leaksBelow(dir: string, secret: string, skip: readonly string[] = []): Leak[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry): Leak[] => {
    const path = join(dir, entry.name);
    if (skip.some((prefix) => path.startsWith(prefix))) return [];
    const named = leaksIn(`the name ${path}`, entry.name, secret);
    if (entry.isDirectory()) return [...named, ...leaksBelow(path, secret, skip)];
    if (!entry.isFile()) return named;
    const content = readFileSync(path);
    const unpacked = content[0] === 0x1f && content[1] === 0x8b ? leaksIn(`${path} (unpacked)`, gunzipSync(content), secret) : [];
    return [...named, ...leaksIn(path, content, secret), ...unpacked];
  });
}

/** Looks for each of some secrets at once; says which it was, by its name here. */
export function leaksOf(secrets: Readonly<Record<string, string>>, look: (secret: string) => Leak[]): string[] {
  return Object.entries(secrets).flatMap(([name, secret]) => look(secret).map(({ where, encoding }) => `${name} as ${encoding} in ${where}`));
}

/** Watches the arguments of all processes of this machine for a secret, 50 times a second, until the returned function is called. */
export function watchArguments(secret: string): () => Leak[] {
  const found = new Map<string, Leak>();
  const look = (): void => {
    for (const pid of readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name))) {
      for (const leak of leaksIn(`arguments of a process`, argumentsOf(pid), secret)) found.set(`${pid} ${leak.encoding}`, leak);
    }
  };
  const timer = setInterval(look, 20);
  return () => {
    clearInterval(timer);
    look();
    return [...found.values()];
  };
}

/** Of a process, each ended by a zero byte; nothing of one that has ended. */
export function argumentsOf(pid: string): Buffer {
  try {
    return readFileSync(`/proc/${pid}/cmdline`);
  } catch {
    return Buffer.alloc(0);
  }
}
