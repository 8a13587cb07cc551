import { execa } from "execa";
import { EXIT } from "../../components/runtime/errors.js";
import { Engine, pulumiBinary } from "./engine.js";
import type { Outcome } from "./outcome.js";
import type { Workspace } from "./workspace.js";

/** Hands the terminal to `pulumi`, with the environment of the other scripts. */
export async function passThrough(ws: Workspace, args: string[]): Promise<Outcome> {
  await new Engine(ws, {}, () => undefined).ensureStack();
  const named = args.some((arg) => arg === "--stack" || arg === "-s" || arg.startsWith("--stack="));
  const [command, ...rest] = args;
  const stackArgs = named || command === undefined || ["version", "login", "logout", "whoami", "install", "plugin"].includes(command) ? [] : ["--stack", ws.stack];
  const result = await execa(pulumiBinary(ws.projectDir), [...(command === undefined ? [] : [command]), ...rest, ...stackArgs], {
    cwd: ws.projectDir, env: ws.env, stdio: "inherit", reject: false,
  });
  process.exitCode = result.exitCode ?? 1;
  return { exitCode: (result.exitCode ?? 1) === 0 ? EXIT.done : EXIT.refused, summary: "", next: "" };
}
