import { spawnSync } from "node:child_process";
import { homedir, userInfo } from "node:os";
import { version, type CommonOptions } from "../context.js";
import { EXIT, fail } from "../errors.js";
import { loadProject } from "../project.js";
import { Backend, logIn } from "../state/backend.js";

const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** `login`: remembers a file backend. */
export function login(url: string | undefined, options: { local?: boolean }): void {
  const address = options.local === true ? `file://${homedir()}` : (url ?? process.env.PULUMI_BACKEND_URL);
  if (address === undefined) fail("the offline stand-in for pulumi needs the backend's address: file://<directory>", EXIT.usage);
  const backend = Backend.at(address);
  logIn(backend.url);
  print(`Logged in as ${userInfo().username} (${backend.url})`);
}

/** `whoami`. */
export function whoami(): void {
  // Fails when there is no backend, as the real command does.
  Backend.current();
  print(userInfo().username);
}

/** `version`. */
export async function printVersion(): Promise<void> {
  print(await version());
}

/** `install`: the project's packages. Plugins are not needed here. */
export async function install(options: CommonOptions): Promise<void> {
  const project = await loadProject(options.cwd ?? process.cwd());
  const { status } = spawnSync("npm", ["install"], { cwd: project.root, stdio: "inherit" });
  if (status !== 0) fail(`npm install ended with code ${status}`);
}
