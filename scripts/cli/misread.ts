import { readFileSync } from "node:fs";
import path from "node:path";
import { isMap, isScalar, isSeq } from "yaml";
import { readScalar } from "../../components/settings/pulumi-scalars.js";
import { parsePulumiYaml, programText } from "../../components/settings/pulumi-yaml.js";
import type { Workspace } from "./workspace.js";

/** A value that stands in the file without quotes, and is another text to the program. */
export interface Misread {
  /** Keys below `config`, joined by dots. */
  place: string;
  written: string;
  read: string;
}

/** Values that Pulumi makes something else of than what is written, such as `022`, `1.10`, `2026-11-30`. Words for yes, no and nothing are not told. Pure. */
export function misread(text: string): Misread[] {
  const below = (node: unknown, place: readonly string[]): Misread[] => {
    if (isMap(node)) return node.items.flatMap(({ key, value }) => below(value, [...place, isScalar(key) ? String(key.value) : "?"]));
    if (isSeq(node)) return node.items.flatMap((item, at) => below(item, [...place, String(at)]));
    if (!isScalar(node) || node.type !== "PLAIN" || node.source === undefined || node.tag !== undefined) return [];
    const value = readScalar(node.source);
    const read = programText(value);
    return value === null || typeof value === "boolean" || read === node.source ? [] : [{ place: place.join("."), written: node.source, read }];
  };
  return below(parsePulumiYaml(text).get("config"), []);
}

/** Lines for the operator, one a value. */
export function misreadLines(ws: Pick<Workspace, "stackFile">): string[] {
  const name = path.basename(ws.stackFile);
  return misread(readFileSync(ws.stackFile, "utf8")).map(({ place, written, read }) => `${name}: ${place}: ${written} is ${read} to Pulumi; write "${written}" if that is meant`);
}
