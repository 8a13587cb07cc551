/** The proxy's whole config as a pure function of the traffic table and of what the operator sets. */
import { createHash } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { backends } from "./config/backends.js";
import { NEWER, SOURCES } from "./config/clients.js";
import { control, preview, type Told } from "./config/control.js";
import { general, RESOLVERS } from "./config/general.js";
import { partSections } from "./config/parts.js";
import { type Sides, users } from "./config/users.js";
import { checkTable, type TrafficTable } from "./model.js";
import { DEFAULT_OPTIONS, type ProxyOptions, proxyOptions } from "./options.js";

export interface Rendered {
  config: string;
  /** SHA-256 of the config, hex. It stands in the config, and the front door tells it to who has the key. */
  digest: string;
}

const DIGEST = "@DIGEST@";
const DEFAULT_PORT = 8501;

/** @throws Error for a table or options with text that could mean something else in the config */
export function render(table: TrafficTable, previewKey: string, options: ProxyOptions = DEFAULT_OPTIONS): Rendered {
  const checked = checkTable(table);
  const given = proxyOptions.parse(options);
  if (!/^[0-9a-f]{64}$/.test(previewKey)) {
    throw new Error("the preview key is not 64 hex digits");
  }
  const { serving } = checked;
  // Nobody is sent to an abandoned release, so the new worker need not know it but for parts of its pages: the old ones hold what is open.
  const former = checked.abandoned ? null : checked.former;
  // Likewise one that has no share of the users, or has lost it.
  const canary = checked.canary !== undefined && checked.canary.weight > 0 ? checked.canary : null;
  const told: Told = { stack: checked.stack, digest: DIGEST, table: encodeTable(checked) };
  const sections = [
    general(given),
    RESOLVERS,
    control(told, previewKey),
    users(checked, { serving, former, canary } satisfies Sides, told, given, previewKey),
    ...(serving === null ? [] : backends(serving, previewKey)),
    ...(former === null ? [] : backends(former, previewKey)),
    ...(canary === null ? [] : backends(canary.revision, previewKey)),
    ...partSections(checked, given),
    preview(serving?.port ?? DEFAULT_PORT),
    SOURCES,
    NEWER,
  ];
  const draft = `${sections.join("\n\n")}\n`;
  const digest = createHash("sha256").update(draft).digest("hex");
  return { config: draft.replaceAll(DIGEST, digest), digest };
}

/** The table as the front door tells it: one word without a character that a config would have to quote. */
export function encodeTable(table: TrafficTable): string {
  return deflateRawSync(JSON.stringify(checkTable(table))).toString("base64url");
}

/** @throws Error for what {@link encodeTable} did not write */
export function decodeTable(text: string): TrafficTable {
  return checkTable(JSON.parse(inflateRawSync(Buffer.from(text, "base64url")).toString("utf8")));
}
