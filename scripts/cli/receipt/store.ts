/** Where receipts lie: `reports/<stack>/<stamp>-<tag>.json`, each with its page beside it. */
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import { type Receipt, receiptSchema } from "../../../components/receipt/model.js";
import { tagSlug } from "../../../components/release/names.js";
import { type DataPaths, stamp } from "../../../components/runtime/paths.js";
import { readable } from "../../../components/runtime/readable.js";
import { readJson, writeWhole } from "../../../components/runtime/whole-file.js";
import { replaceFile } from "../replace-file.js";

export interface Stored {
  receipt: Receipt;
  /** Absolute path. */
  json: string;
}

/** Writes it, 0600; that of the same run again. */
export function storeReceipt(paths: Pick<DataPaths, "reports">, receipt: Receipt): Stored {
  mkdirSync(paths.reports, { recursive: true, mode: 0o700 });
  const base = baseFor(paths, receipt);
  const stored = { receipt, json: `${base}.json` };
  replaceFile(stored.json, `${JSON.stringify(receipt, null, 2)}\n`, 0o600);
  return stored;
}

/** Writes a stored one anew, with what was found out since. Its page goes with the next {@link writePage}. */
export function storeAgain({ receipt, json }: Stored): void {
  writeWhole(json, readable(`${JSON.stringify(receipt, null, 2)}\n`));
}

/** Absolute path of the page, whether there is one or not. */
export const pageBeside = (json: string): string => json.replace(/\.json$/, ".html");

/** @returns the page's path */
export async function writePage({ receipt, json }: Stored): Promise<string> {
  const { pageOf } = await import("../../../components/receipt/page/page.js");
  const file = pageBeside(json);
  writeWhole(file, await pageOf(receipt, path.basename(json)));
  return file;
}

/** Pages that are written at once for receipts without one. */
const PAGES_AT_ONCE = 5;

/** The newest receipts get the page that they lack: their run ended before it, or was of a program that wrote none. */
export async function writeMissingPages(paths: Pick<DataPaths, "reports">): Promise<void> {
  const lacking = receiptFiles(paths).filter((json) => !existsSync(pageBeside(json))).reverse();
  for (const json of lacking.slice(0, PAGES_AT_ONCE)) {
    const receipt = read(json);
    if (receipt !== null) await writePage({ receipt, json });
  }
}

/** A second one of the same second gets `-2`. */
function baseFor({ reports }: Pick<DataPaths, "reports">, { run, tag, command, startedAt }: Receipt): string {
  const name = path.join(reports, `${stamp(new Date(startedAt))}-${tag === "" ? command : tagSlug(tag)}`);
  for (let n = 1; ; n++) {
    const base = n === 1 ? name : `${name}-${n}`;
    if (!existsSync(`${base}.json`) || read(`${base}.json`)?.run === run) return base;
  }
}

/** All that can be read, oldest first; what is no receipt of a known form is left out. */
export function storedReceipts(paths: Pick<DataPaths, "reports">): Stored[] {
  return receiptFiles(paths).flatMap((json) => {
    const receipt = read(json);
    return receipt === null ? [] : [{ receipt, json }];
  });
}

/** Oldest first. */
function receiptFiles({ reports }: Pick<DataPaths, "reports">): string[] {
  const names = existsSync(reports) ? readdirSync(reports).filter((name) => name.endsWith(".json")) : [];
  return names.sort().map((name) => path.join(reports, name));
}

function read(file: string): Receipt | null {
  return readJson(file, receiptSchema);
}
