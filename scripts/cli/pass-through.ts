import { execa } from "execa";
import { ReleaseError } from "../../components/runtime/errors.js";
import { Engine, pulumiBinary } from "./engine.js";
import { describeKept } from "./kept.js";
import { print } from "./output.js";
import { onSignal } from "./signals.js";
import type { Workspace } from "./workspace.js";

/** Hands the terminal to `pulumi`, with the environment of the other scripts. @returns its own exit code */
export async function passThrough(ws: Workspace, args: string[]): Promise<{ exitCode: number }> {
  await openStack(ws, args);
  const named = args.some((arg) => arg === "--stack" || arg === "-s" || arg.startsWith("--stack="));
  const [command, ...rest] = args;
  const stackArgs = named || command === undefined || ["version", "login", "logout", "whoami", "install", "plugin"].includes(command) ? [] : ["--stack", ws.stack];
  const child = execa(pulumiBinary(ws.projectDir), [...(command === undefined ? [] : [command]), ...rest, ...stackArgs], {
    cwd: ws.projectDir, env: ws.env, stdio: "inherit", reject: false, forceKillAfterDelay: false,
  });
  // Ctrl-C reaches it by itself: it is in the terminal's foreground as we are.
  onSignal((signal) => {
    if (signal !== "SIGINT") child.kill(signal);
  });
  const result = await child;
  if (command === "destroy" && result.exitCode === 0 && !rest.includes("--preview-only")) {
    print(["Kept on purpose:", ...(await describeKept(ws)).map((kept) => `  ${kept}`)]);
  }
  return { exitCode: result.exitCode ?? 1 };
}

/** Makes the stack where the backend does not know it. A state that cannot be read must not keep a copy from being put back. */
async function openStack(ws: Workspace, args: string[]): Promise<void> {
  try {
    await new Engine(ws, {}, null).ensureStack();
  } catch (error) {
    const importing = args[0] === "stack" && args[1] === "import";
    if (!importing || !(error instanceof ReleaseError) || error.code !== "stateLost") throw error;
  }
}
