/**
 * The one file on the proxy's volume: HAProxy's config, headed by a comment that tells what it was made of. As it is one
 * file, replaced by a rename, table and config cannot disagree, whenever a run is killed.
 */
import { z } from "zod";
import { checkTable, type TrafficTable } from "./model.js";
import { DEFAULT_OPTIONS, type ProxyOptions, proxyOptions } from "./options.js";
import { render } from "./render.js";

export interface LiveFacts {
  table: TrafficTable;
  /** Secret, 64 hex digits: who has it may look through the front door at any container of the app. */
  previewKey: string;
  /** ISO 8601: when this release began to serve. "" while none does. */
  switchedAt: string;
  /** What the operator sets. */
  options: ProxyOptions;
}

const HEAD = "# pbjrag-live ";
const facts = z.object({ table: z.unknown(), previewKey: z.string().regex(/^[0-9a-f]{64}$/), switchedAt: z.string(), options: proxyOptions.optional() });

export interface LiveFile extends LiveFacts {
  text: string;
  /** Of the config in it, as it stands there. */
  digest: string;
}

/** @throws Error for a table that cannot be rendered */
export function composeFile({ table, previewKey, switchedAt, options }: LiveFacts): LiveFile {
  const { config, digest } = render(table, previewKey, options);
  const head = JSON.stringify({ table, previewKey, switchedAt, options });
  return { table, previewKey, switchedAt, options, digest, text: `# Written by the release; what is changed here by hand is lost.\n${HEAD}${head}\n# digest ${digest}\n${config}` };
}

/** @throws Error for a file that {@link composeFile} did not write */
export function parseFile(text: string): LiveFile {
  const line = (head: string): string | undefined => text.split("\n", 4).find((one) => one.startsWith(head))?.slice(head.length);
  const head = line(HEAD);
  const digest = line("# digest ");
  if (head === undefined || digest === undefined) {
    throw new Error("the proxy's config was not written by this program");
  }
  // A file of before there were options is served as it is until the front door is prepared anew.
  const { table, previewKey, switchedAt, options = DEFAULT_OPTIONS } = facts.parse(JSON.parse(head));
  return { table: checkTable(table), previewKey, switchedAt, options, digest, text };
}
