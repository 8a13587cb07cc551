import path from "node:path";
import { isObject } from "../../components/settings/defaults.js";
import { codeOf, messageOf } from "../../components/runtime/errors.js";
import { findState, readState } from "../../components/runtime/state-file.js";
import type { Workspace } from "./workspace.js";

/** The directory of a backend of local files; null where the backend is another. */
export function localBackend(ws: Workspace): string | null {
  const url = process.env["PULUMI_BACKEND_URL"] ?? ws.env["PULUMI_BACKEND_URL"] ?? "";
  if (!url.startsWith("file://")) return null;
  return path.join(url.slice("file://".length).replace(/^~/, process.env["HOME"] ?? "~"), ".pulumi");
}

export interface LocalState {
  file: string;
  /** Why it is not a whole state, "" when it is. Pulumi writes it in one piece: a disk that was full, or a hand, cut it. */
  problem: string;
  /** This user may not read it: that says nothing of the state. */
  denied?: true;
  /** What its secrets are encrypted with, or null. */
  salt: string | null;
}

/** A stack's state in a backend of local files; null where there is none, or the backend is another. */
export function readLocalState(ws: Workspace): LocalState | null {
  const root = localBackend(ws);
  return root === null ? null : localStateIn(path.dirname(root), ws.stack);
}

/** The same in a backend's directory. */
export function localStateIn(directory: string, stack: string): LocalState | null {
  const stacks = path.join(directory, ".pulumi", "stacks", "pbjrag");
  let file = path.join(stacks, `${stack}.json`);
  try {
    const found = findState(stacks, stack);
    if (found === null) return null;
    file = found;
    return { file, ...judgeFile(found) };
  } catch (error) {
    const denied = ["EACCES", "EPERM"].includes(codeOf(error));
    return { file, problem: messageOf(error), salt: null, ...(denied ? { denied: true } : {}) };
  }
}

function judgeFile(file: string): Omit<LocalState, "file" | "denied"> {
  try {
    return judge(readState(file));
  } catch (error) {
    // Errors of the file system say so by their own codes; these are what zlib has for bytes that it does not know.
    if (/^(?:Z_|ZSTD_|ERR_)/.test(codeOf(error))) return { problem: `it is cut or overwritten (${messageOf(error)})`, salt: null };
    throw error;
  }
}

/** Pure. */
export function judge(text: string): Omit<LocalState, "file" | "denied"> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: text.trim() === "" ? "it is empty" : `it is cut or overwritten (${Buffer.byteLength(text)} bytes)`, salt: null };
  }
  if (!isObject(value) || !isObject(value["checkpoint"])) return { problem: "it is no state of a stack", salt: null };
  const latest = value["checkpoint"]["latest"];
  const provider = isObject(latest) ? latest["secrets_providers"] : undefined;
  const state = isObject(provider) ? provider["state"] : undefined;
  const salt = isObject(state) ? state["salt"] : undefined;
  return { problem: "", salt: typeof salt === "string" ? salt : null };
}
