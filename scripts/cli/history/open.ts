import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { errors, EXIT } from "../../../components/runtime/errors.js";
import type { Outcome } from "../outcome.js";
import { print, printJson } from "../output.js";
import { pageBeside, storedReceipts, writePage } from "../receipt/store.js";
import type { Workspace } from "../workspace.js";
import { findReceipt } from "./entries.js";

/** Opens a receipt's page where there is a display, and says where it lies. @throws ReleaseError `usage` when there is no such receipt */
export async function openPage(ws: Pick<Workspace, "paths" | "stack">, which: string | undefined, json: boolean): Promise<Outcome> {
  const found = findReceipt(storedReceipts(ws.paths), which);
  if (found === undefined) {
    const what = which === undefined ? "" : ` ${JSON.stringify(which)}`;
    throw errors.usage({ why: `stack ${ws.stack} has no receipt${what}`, next: "scripts/history.sh lists those that there are" });
  }
  const page = existsSync(pageBeside(found.json)) ? pageBeside(found.json) : await writePage(found);
  const url = pathToFileURL(page).href;
  const opened = await openOnDisplay(url, process.env);
  if (json) printJson({ page, url, opened });
  else print([page, url]);
  return { exitCode: EXIT.done, summary: "", next: "" };
}

/** @returns whether there was somebody to open it */
async function openOnDisplay(url: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  if (!env["DISPLAY"] && !env["WAYLAND_DISPLAY"]) return false;
  // Not waited for: it may be the browser itself.
  const opener = spawn("xdg-open", [url], { detached: true, stdio: "ignore" });
  opener.unref();
  return new Promise((resolve) => {
    opener.once("spawn", () => resolve(true));
    opener.once("error", () => resolve(false));
  });
}
