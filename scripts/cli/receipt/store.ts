/** Where receipts lie: `reports/<stack>/<stamp>-<tag>.json`. */
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import { type Receipt, receiptSchema } from "../../../components/receipt/model.js";
import { tagSlug } from "../../../components/release/names.js";
import { type DataPaths, stamp } from "../../../components/runtime/paths.js";
import { readJson } from "../../../components/runtime/whole-file.js";
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

/** A second one of the same second gets `-2`. */
function baseFor({ reports }: Pick<DataPaths, "reports">, { run, tag, command, startedAt }: Receipt): string {
  const name = path.join(reports, `${stamp(new Date(startedAt))}-${tag === "" ? command : tagSlug(tag)}`);
  for (let n = 1; ; n++) {
    const base = n === 1 ? name : `${name}-${n}`;
    if (!existsSync(`${base}.json`) || read(`${base}.json`)?.run === run) return base;
  }
}

/** All that can be read, oldest first; what is no receipt of a known form is left out. */
export function storedReceipts({ reports }: Pick<DataPaths, "reports">): Stored[] {
  const names = existsSync(reports) ? readdirSync(reports).filter((name) => name.endsWith(".json")) : [];
  return names.sort().flatMap((name) => {
    const json = path.join(reports, name);
    const receipt = read(json);
    return receipt === null ? [] : [{ receipt, json }];
  });
}

function read(file: string): Receipt | null {
  return readJson(file, receiptSchema);
}
