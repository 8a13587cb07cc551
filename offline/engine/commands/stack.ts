import { readFileSync } from "node:fs";
import { stackOf, configOf, snapshotOf, version, workspace, type CommonOptions } from "../context.js";
import { inline } from "../display/values.js";
import { STACK_TYPE } from "../engine/urn.js";
import { EXIT, fail, refuse } from "../errors.js";
import { selectedStack, selectStack } from "../project.js";
import { parseStackName, qualified } from "../state/backend.js";
import { manifest, type Checkpoint, type Deployment } from "../state/checkpoint.js";
import { writeWhole } from "../state/files.js";
import { cancelLocks, Lock } from "../state/lock.js";
import { mask, reveal, type Props } from "../values.js";

const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** `stack init`: makes an empty stack and selects it. */
export async function initStack(text: string | undefined, options: CommonOptions & { select?: boolean }): Promise<void> {
  const place = await workspace(options);
  const { project, backend } = place;
  const given = text ?? options.stack;
  if (given === undefined) fail("missing stack name", EXIT.usage);
  const name = parseStackName(given, project.name);
  if (backend.has(name)) fail(`stack '${qualified(name)}' already exists`);
  // Makes the salt where the config has none, and refuses a wrong passphrase before anything is made.
  const crypter = await (await configOf({ ...options, stack: name.stack }, project, name)).crypter();
  const latest: Deployment = {
    manifest: manifest(await version(), new Date()),
    secrets_providers: { type: "passphrase", state: { salt: crypter.salt } },
    metadata: {},
  };
  backend.write(name, { version: 3, checkpoint: { stack: qualified(name), latest } });
  if (options.select !== false) selectStack(project, backend, qualified(name));
  print(`Created stack '${name.stack}'`);
}

/** `stack select`: makes a stack the one that commands work on. */
export async function selectCommand(text: string | undefined, options: CommonOptions & { create?: boolean }): Promise<void> {
  const { project, backend } = await workspace(options);
  const given = text ?? options.stack;
  if (given === undefined) fail("--stack or a stack name must be given when not in interactive mode", EXIT.usage);
  const name = parseStackName(given, project.name);
  if (!backend.has(name)) {
    if (options.create !== true) fail(`no stack named '${given}' found`, EXIT.noStack);
    return initStack(given, options);
  }
  selectStack(project, backend, qualified(name));
}

/** `stack ls`. */
export async function listStacks(options: CommonOptions & { json?: boolean }): Promise<void> {
  const { project, backend } = await workspace(options);
  const selected = selectedStack(project, backend);
  const rows = backend.list(project.name).map((stack) => {
    const { latest } = backend.read({ project: project.name, stack }).checkpoint;
    const name = { project: project.name, stack };
    return {
      name: stack,
      current: selected === qualified(name),
      lastUpdate: latest?.resources === undefined ? undefined : latest.manifest.time,
      resourceCount: latest?.resources?.length ?? 0,
    };
  });
  if (options.json === true) return print(JSON.stringify(rows, null, 2));
  print(`NAME  LAST UPDATE  RESOURCE COUNT`);
  for (const row of rows) print(`${row.name}${row.current ? "*" : ""}  ${row.lastUpdate ?? "n/a"}  ${row.resourceCount}`);
}

/** `stack output`: all outputs, or one. */
export async function stackOutput(
  property: string | undefined,
  options: CommonOptions & { json?: boolean; showSecrets?: boolean; shell?: boolean },
): Promise<void> {
  if (options.shell === true) refuse("`stack output --shell`");
  const place = await workspace(options);
  const name = stackOf(options, place);
  const snapshot = await snapshotOf(place.backend, name);
  const outputs: Props = snapshot.resources.find((each) => each.type === STACK_TYPE)?.outputs ?? {};
  const shown = (options.showSecrets === true ? reveal(outputs) : mask(outputs)) as Props;
  if (property !== undefined) {
    const value = shown[property];
    if (value === undefined) fail(`current stack does not have output property '${property}'`);
    return print(options.json === true ? JSON.stringify(value, null, 2) : inline(value));
  }
  if (options.json === true) return print(JSON.stringify(shown, null, 2));
  const names = Object.keys(shown).sort();
  if (names.length === 0) return print("No output values currently in this stack");
  const width = Math.max(6, ...names.map((each) => each.length));
  print(`Current stack outputs (${names.length}):\n    ${"OUTPUT".padEnd(width)}  VALUE`);
  for (const each of names) print(`    ${each.padEnd(width)}  ${inline(shown[each] ?? null)}`);
}

/** `stack export`: the state as it is stored. */
export async function exportStack(options: CommonOptions & { file?: string; showSecrets?: boolean }): Promise<void> {
  if (options.showSecrets === true) refuse("`stack export --show-secrets`");
  const place = await workspace(options);
  const { checkpoint } = place.backend.read(stackOf(options, place));
  const text = `${JSON.stringify({ version: 3, deployment: checkpoint.latest ?? {} }, null, 4)}\n`;
  if (options.file === undefined) process.stdout.write(text);
  else writeWhole(options.file, text);
}

/** `stack import`: puts a state in place of the stored one. */
export async function importStack(options: CommonOptions & { file?: string; force?: boolean }): Promise<void> {
  const place = await workspace(options);
  const name = stackOf(options, place);
  const text = readFileSync(options.file ?? "/dev/stdin", "utf8");
  const { version: format, deployment } = JSON.parse(text) as { version?: number; deployment?: Deployment };
  if (format !== 3 || deployment === undefined) fail("the file does not hold a deployment of version 3");
  const strays = (deployment.resources ?? []).filter((each) => !each.urn.startsWith(`urn:pulumi:${name.stack}::${name.project}::`));
  if (strays.length > 0 && options.force !== true) fail(`resources of another stack in the file, such as ${strays[0]?.urn}`);
  const lock = Lock.take(place.backend, name);
  try {
    const checkpoint: Checkpoint = { version: 3, checkpoint: { stack: qualified(name), latest: deployment } };
    place.backend.write(name, checkpoint);
  } finally {
    lock.release();
  }
  print("Import complete.");
}

/** `stack rm`: removes a stack that holds nothing, or any with --force. */
export async function removeStack(
  text: string | undefined,
  options: CommonOptions & { yes?: boolean; force?: boolean; preserveConfig?: boolean },
): Promise<void> {
  if (text !== undefined && options.stack !== undefined) fail("only one of --stack or argument stack name may be specified, not both");
  const place = await workspace(options);
  const name = stackOf({ ...options, stack: text ?? options.stack }, place);
  if (options.yes !== true) fail("--yes must be passed in to proceed when running in non-interactive mode", EXIT.usage);
  const resources = place.backend.read(name).checkpoint.latest?.resources ?? [];
  if (resources.length > 0 && options.force !== true) {
    fail(
      `'${name.stack}' still has resources; removal rejected. Possible actions:\n` +
        `- Make sure that '${name.stack}' is the stack that you want to destroy\n` +
        "- Run `pulumi destroy` to delete the resources, then run `pulumi stack rm`\n" +
        "- Run `pulumi stack rm --force` to override this error",
    );
  }
  const lock = Lock.take(place.backend, name);
  try {
    place.backend.remove(name);
  } finally {
    lock.release();
  }
  if (options.preserveConfig !== true) (await configOf(options, place.project, name)).deleteFile();
  if (selectedStack(place.project, place.backend) === qualified(name)) selectStack(place.project, place.backend, undefined);
  print(`Stack '${name.stack}' has been removed!`);
}

/** `cancel`: removes a stack's locks. Whoever holds one is not asked. */
export async function cancelCommand(text: string | undefined, options: CommonOptions): Promise<void> {
  const place = await workspace(options);
  const name = stackOf({ ...options, stack: text ?? options.stack }, place);
  cancelLocks(place.backend, name);
  print(`The currently running update for '${name.stack}' has been canceled!`);
}
