#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import type { UpdateOptions } from "./commands/update.js";
import type { CommonOptions } from "./context.js";
import { CommandError, EXIT, messageOf, refuse } from "./errors.js";

/** An argument that may be left out. */
type Name = string | undefined;

/** Options given before or after a command's name. */
function common(command: Command): Command {
  return command
    .option("-C, --cwd <directory>")
    .option("-s, --stack <name>")
    .option("--config-file <file>")
    .option("--color <when>")
    .option("--non-interactive")
    .option("--logtostderr")
    .option("--disable-integrity-checking")
    .option("-e, --emoji");
}

function update(command: Command): Command {
  return common(command)
    .option("-y, --yes")
    .option("-f, --skip-preview")
    .option("--preview-only")
    .option("--diff")
    .option("-r, --refresh")
    .option("--expect-no-changes")
    .option("--suppress-outputs")
    .option("--suppress-progress")
    .option("-m, --message <text>")
    .option("-p, --parallel <count>");
}

/** The command line. Modules are loaded when their command is run: start-up is most of a no-change update. */
function program(): Command {
  const pulumi = new Command("pulumi").description("offline stand-in for the Pulumi command").exitOverride();
  pulumi.enablePositionalOptions().option("-C, --cwd <directory>").option("--color <when>").option("--non-interactive");

  const updates = () => import("./commands/update.js");
  update(pulumi.command("up").alias("update")).action(async (options: UpdateOptions) => (await updates()).updateCommand("update", all(options)));
  update(pulumi.command("preview").alias("pre"))
    .option("-j, --json")
    .action(async (options: UpdateOptions) => (await updates()).previewCommand(all(options)));
  update(pulumi.command("destroy").alias("down")).action(async (options: UpdateOptions) => (await updates()).updateCommand("destroy", all(options)));
  update(pulumi.command("refresh"))
    .option("--clear-pending-creates")
    .action(async (options: UpdateOptions) => (await updates()).updateCommand("refresh", all(options)));

  const stacks = () => import("./commands/stack.js");
  common(pulumi.command("cancel [stack]"))
    .option("-y, --yes")
    .action(async (name: Name, options: CommonOptions) => (await stacks()).cancelCommand(name, all(options)));
  const stack = pulumi.command("stack");
  common(stack.command("init [name]"))
    .option("--no-select")
    .option("--secrets-provider <name>")
    .action(async (name: Name, options: CommonOptions) => (await stacks()).initStack(name, all(options)));
  common(stack.command("select [name]"))
    .option("-c, --create")
    .action(async (name: Name, options: CommonOptions) => (await stacks()).selectCommand(name, all(options)));
  common(stack.command("ls"))
    .option("-j, --json")
    .action(async (options: CommonOptions) => (await stacks()).listStacks(all(options)));
  common(stack.command("output [property]"))
    .option("-j, --json")
    .option("--show-secrets")
    .option("--shell")
    .action(async (name: Name, options: CommonOptions) => (await stacks()).stackOutput(name, all(options)));
  common(stack.command("export"))
    .option("--file <file>")
    .option("--show-secrets")
    .action(async (options: CommonOptions) => (await stacks()).exportStack(all(options)));
  common(stack.command("import"))
    .option("--file <file>")
    .option("-f, --force")
    .action(async (options: CommonOptions) => (await stacks()).importStack(all(options)));
  common(stack.command("rm [name]"))
    .option("-y, --yes")
    .option("-f, --force")
    .option("--preserve-config")
    .action(async (name: Name, options: CommonOptions) => (await stacks()).removeStack(name, all(options)));

  const configs = () => import("./commands/config.js");
  const config = common(pulumi.command("config"))
    .enablePositionalOptions()
    .option("-j, --json")
    .option("--show-secrets")
    .action(async (options: CommonOptions) => (await configs()).listConfig(all(options)));
  common(config.command("set <key> [value]"))
    .option("--secret")
    .option("--plaintext")
    .option("--path")
    .action(async (key: string, value: Name, options: CommonOptions) => (await configs()).setConfig(key, value, all(options)));
  common(config.command("get <key>"))
    .option("--path")
    .option("-j, --json")
    .action(async (key: string, options: CommonOptions) => (await configs()).getConfig(key, all(options)));
  common(config.command("rm <key>"))
    .option("--path")
    .action(async (key: string, options: CommonOptions) => (await configs()).removeConfig(key, all(options)));

  const others = () => import("./commands/others.js");
  pulumi
    .command("login [url]")
    .option("-l, --local")
    .option("-C, --cwd <directory>")
    .action(async (url: Name, options: { local?: boolean }) => (await others()).login(url, all(options)));
  pulumi.command("whoami").option("-v, --verbose").action(async () => (await others()).whoami());
  pulumi.command("version").action(async () => (await others()).printVersion());
  common(pulumi.command("install")).action(async (options: CommonOptions) => (await others()).install(all(options)));
  return pulumi;
}

let global: Record<string, unknown> = {};

/** A command's options, with those given before its name. Checks those that must have one value. */
function all<T extends object>(options: T): T {
  const { secretsProvider } = options as { secretsProvider?: string };
  if (secretsProvider !== undefined && !["default", "passphrase"].includes(secretsProvider)) {
    refuse(`the secrets provider '${secretsProvider}' (only passphrase)`);
  }
  return { ...global, ...options };
}

async function main(): Promise<number> {
  const pulumi = program();
  pulumi.hook("preAction", () => {
    global = pulumi.opts();
  });
  for (const command of [pulumi, ...nested(pulumi)]) {
    command.exitOverride().configureOutput({ writeErr: () => undefined });
  }
  try {
    await pulumi.parseAsync();
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return usage(error);
    const message = messageOf(error);
    if (message !== "") process.stderr.write(`error: ${message}\n`);
    if (!(error instanceof CommandError) && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    return error instanceof CommandError ? error.exitCode : EXIT.error;
  }
}

const nested = (command: Command): Command[] => command.commands.flatMap((each) => [each, ...nested(each)]);

/** Commander's own refusals name the option or command; they are given the stand-in's name. */
function usage(error: CommanderError): number {
  if (error.exitCode === 0) return 0;
  const text = error.message.replace(/^error: /, "");
  process.stderr.write(`error: the offline stand-in for pulumi does not accept this: ${text}\n`);
  return EXIT.usage;
}

/** What was printed lies in a queue until its reader takes it: a process that exits loses the rest. */
const taken = (stream: NodeJS.WriteStream): Promise<void> => new Promise((resolve) => stream.write("", () => resolve()));

void main().then(async (code) => {
  await Promise.all([taken(process.stdout), taken(process.stderr)]);
  // Sockets and children may be left.
  process.exit(code);
});
