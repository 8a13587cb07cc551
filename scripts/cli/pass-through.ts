import { execa } from "execa";
import { Engine, pulumiBinary } from "./engine.js";
import type { Workspace } from "./workspace.js";

/** Hands the terminal to `pulumi`, with the environment of the other scripts. @returns its own exit code */
export async function passThrough(ws: Workspace, args: string[]): Promise<{ exitCode: number }> {
  await new Engine(ws, {}, null).ensureStack();
  const named = args.some((arg) => arg === "--stack" || arg === "-s" || arg.startsWith("--stack="));
  const [command, ...rest] = args;
  const stackArgs = named || command === undefined || ["version", "login", "logout", "whoami", "install", "plugin"].includes(command) ? [] : ["--stack", ws.stack];
  const result = await execa(pulumiBinary(ws.projectDir), [...(command === undefined ? [] : [command]), ...rest, ...stackArgs], {
    cwd: ws.projectDir, env: ws.env, stdio: "inherit", reject: false,
  });
  return { exitCode: result.exitCode ?? 1 };
}
