import { programEnvironment, type ConfigValue } from "../config.js";
import { CommandError, fail } from "../errors.js";
import type { Project } from "../project.js";
import type { DynamicProvider } from "../providers/dynamic.js";
import { crypterOf } from "../secrets.js";
import { parseStackName, qualified, type Backend, type StackName } from "../state/backend.js";
import { Codec, type Snapshot } from "../state/checkpoint.js";
import { Store, type Sink } from "../state/store.js";
import { secret, type Props, type Value } from "../values.js";
import { deleteAll } from "./deletions.js";
import { Deployment } from "./deployment.js";
import type { Events } from "./events.js";
import { Executor } from "./executor.js";
import { Monitor } from "./monitor.js";
import { Program } from "./program.js";
import { Progress } from "./progress.js";
import { ProviderResources } from "./provider-resources.js";
import { Providers } from "./providers.js";
import { refreshAll } from "./refresh.js";
import { STACK_TYPE, stackUrn } from "./urn.js";

/** One run of the engine. */
export interface RunOptions {
  kind: "update" | "destroy" | "refresh";
  preview: boolean;
  /** Look at what there is before the update. */
  refresh: boolean;
  project: Project;
  backend: Backend;
  stack: StackName;
  config: Record<string, ConfigValue>;
  snapshot: Snapshot;
  /** Where the state goes; a preview has none. */
  sink?: Sink;
  events: Events;
  progress: Progress;
}

/** Does an update, a preview, a destroy or a refresh; answers the state it leaves. */
export async function run(options: RunOptions): Promise<Snapshot> {
  const engine = new Engine(options);
  try {
    return await engine.run();
  } finally {
    options.progress.end();
    await engine.close();
  }
}

/** A run's parts, which need each other. */
class Engine {
  private readonly providers: Providers;
  private dynamic: Promise<DynamicProvider> | undefined;
  private monitor: Monitor | undefined;
  private address: (address: string) => void = () => undefined;
  private readonly listening: Promise<string>;

  constructor(private readonly options: RunOptions) {
    this.listening = new Promise((resolve) => (this.address = resolve));
    this.providers = new Providers({
      directory: options.project.programDirectory,
      dynamic: () => this.dynamicProvider(),
    });
  }

  async run(): Promise<Snapshot> {
    const { options } = this;
    this.warnOfPending();
    // It takes a second to start, and every update of a stack that has dynamic resources needs it.
    const usesDynamic = options.snapshot.resources.some((each) => each.type === "pulumi:providers:pulumi-nodejs");
    if (usesDynamic && options.kind !== "destroy") void this.dynamicProvider().then((provider) => provider.warm());
    const snapshot = options.refresh || options.kind === "refresh" ? await this.refreshed(options.snapshot) : options.snapshot;
    if (options.kind === "refresh" || options.progress.failed) return snapshot;
    return this.deployed(snapshot);
  }

  async close(): Promise<void> {
    this.monitor?.stop();
    await this.providers.close();
    // One that was started ahead, and then not used, is unknown to the others.
    await this.dynamic?.then((provider) => provider.close());
  }

  private parts(store: Store, snapshot: Snapshot) {
    const { options } = this;
    const { stack, events, preview } = options;
    const olds = new Map(snapshot.resources.filter((each) => each.delete !== true).map((each) => [each.urn, each]));
    const executor = new Executor(store, events, preview);
    const providers = new ProviderResources(stack, olds, store, events, this.providers, marked(options.config));
    return { stack, olds, store, events, executor, providers };
  }

  private async refreshed(snapshot: Snapshot): Promise<Snapshot> {
    const { options } = this;
    const store = new Store(snapshot, options.sink);
    this.address("127.0.0.1:0");
    try {
      await refreshAll(snapshot.resources, { ...this.parts(store, snapshot), counted: options.kind === "refresh" });
    } catch (error) {
      options.events.problem(stackUrn(options.stack), error);
      options.progress.fail();
    }
    store.save();
    return store.snapshot();
  }

  private async deployed(snapshot: Snapshot): Promise<Snapshot> {
    const { options } = this;
    const { progress, events, preview } = options;
    const store = new Store(snapshot, options.sink);
    const parts = this.parts(store, snapshot);
    const rootUrn = stackUrn(options.stack);
    try {
      if (options.kind === "update") {
        const deployment = new Deployment({ ...parts, outputsOf: (name) => this.outputsOf(name, snapshot) });
        this.monitor = new Monitor({ stack: options.stack, preview, deployment, events, progress, rootUrn });
        await this.runProgram(await this.monitor.start());
      } else {
        this.address("127.0.0.1:0");
      }
      if (!progress.failed && !progress.stopped) {
        await progress.during(() => deleteAll(store.remaining(), { ...parts, stopped: () => progress.stopped }));
      }
    } catch (error) {
      events.problem(rootUrn, error);
      progress.fail();
    }
    store.save();
    return store.snapshot();
  }

  /** Runs the program until it has registered everything, has failed, or has been stopped. */
  private async runProgram(address: string): Promise<void> {
    const { project, stack, preview, events, progress, config } = this.options;
    this.address(address);
    const print = (line: string): void => events.message("info", stackUrn(stack), line);
    const program = new Program({ project, stack, preview, address, print, environment: programEnvironment(config) });
    const first = await Promise.race([
      program.ended,
      progress.registered.then(() => "registered" as const),
      progress.idle.then(() => "stopped" as const),
    ]);
    if (first === "registered") {
      // It waits for the update's end; then it is told, and goes.
      void progress.ended.then(() => program.kill());
      return;
    }
    if (first === "stopped") return program.kill();
    if (progress.stopped) return progress.idle;
    if (!first.ok) {
      progress.sawError();
      if (first.reason !== undefined) events.problem(stackUrn(stack), new CommandError(first.reason));
    }
  }

  private dynamicProvider(): Promise<DynamicProvider> {
    this.dynamic ??= this.makeDynamic();
    return this.dynamic;
  }

  private async makeDynamic(): Promise<DynamicProvider> {
    const { project, config, events, stack } = this.options;
    const { DynamicProvider } = await import("../providers/dynamic.js");
    const texts = Object.fromEntries(Object.entries(config).map(([key, each]) => [key, each.value]));
    return new DynamicProvider({
      directory: project.programDirectory,
      engineAddress: await this.listening,
      config: texts,
      report: (severity, line) => events.message(severity, stackUrn(stack), line),
    });
  }

  /** The last outputs of a stack; one's own are those of the update before. */
  private async outputsOf(name: string, snapshot: Snapshot): Promise<Props> {
    const { backend, stack } = this.options;
    const outputs = (each: Snapshot): Props => each.resources.find(({ type }) => type === STACK_TYPE)?.outputs ?? {};
    if (name === qualified(stack)) return outputs(snapshot);
    const [, project = stack.project] = name.split("/");
    const other = { project, stack: name.split("/").at(-1) ?? "" };
    parseStackName(`organization/${project}/${other.stack}`, project);
    if (!backend.has(other)) fail(`unknown stack "${name}"`);
    const { latest } = backend.read(other).checkpoint;
    const salt = latest?.secrets_providers?.state?.salt;
    if (latest === undefined || salt === undefined) return {};
    return outputs(new Codec(await crypterOf(salt)).decode(latest));
  }

  private warnOfPending(): void {
    const { snapshot, preview, events, stack, kind } = this.options;
    const { operations } = snapshot;
    if (operations.length === 0 || preview || kind === "refresh") return;
    const list = operations.map((each) => `  * ${each.resource.urn}, interrupted while ${each.type}`);
    events.message(
      "warning",
      stackUrn(stack),
      `Attempting to deploy or update resources with ${operations.length} pending operations from previous deployment.\n` +
        `${list.join("\n")}\nThese resources are in an unknown state because the Pulumi CLI was interrupted while waiting for ` +
        "changes to these resources to complete. You should confirm whether or not the operations listed completed successfully.\n\n" +
        "Once you have confirmed the status of the interrupted operations, you can repair your stack using `pulumi refresh` " +
        "which will refresh the state from the provider you are using and clear the pending operations if there are any.\n\n" +
        "Note that `pulumi refresh` will need to be run with --clear-pending-creates to clear pending CREATE operations.",
    );
  }
}

function marked(config: Record<string, ConfigValue>): Props {
  const value = (each: ConfigValue): Value => (each.secret ? secret(each.value) : each.value);
  return Object.fromEntries(Object.entries(config).map(([key, each]) => [key, value(each)]));
}

