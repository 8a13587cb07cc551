import { refuse } from "../errors.js";
import { CommandProvider } from "../providers/command.js";
import type { DynamicProvider } from "../providers/dynamic.js";
import type { Provider } from "../providers/provider.js";
import { omit, type Props } from "../values.js";

/** What providers are made from. */
export interface ProviderSources {
  /** What relative paths start from. */
  directory: string;
  dynamic(): Promise<DynamicProvider>;
}

/** The providers of an update, one per provider resource. */
export class Providers {
  private readonly known = new Map<string, Promise<Provider>>();

  constructor(private readonly sources: ProviderSources) {}

  /** The provider of a package under a reference `urn::id`, made at its first use. */
  get(reference: string, pkg: string, config: Props): Promise<Provider> {
    const known = this.known.get(reference);
    if (known !== undefined) return known;
    const made = this.make(pkg, config);
    this.known.set(reference, made);
    return made;
  }

  private async make(pkg: string, config: Props): Promise<Provider> {
    if (pkg === "command") return new CommandProvider(this.sources.directory);
    if (pkg === "pulumi-nodejs") return this.sources.dynamic();
    if (pkg !== "docker") refuse(`the package '${pkg}'`);
    const { DockerProvider } = await import("../providers/docker/index.js");
    return new DockerProvider(config, this.sources.directory);
  }

  /** Ends what the providers have started. */
  async close(): Promise<void> {
    for (const provider of this.known.values()) {
      const made = await provider.catch(() => undefined);
      await made?.close?.();
    }
  }
}

/** The versions that this stand-in was checked against; others may behave differently. */
const VERSIONS: Record<string, string> = { docker: "5.2.0", command: "1.2.1" };

/** The arguments of a package's default provider. */
export function defaultProviderInputs(pkg: string, version: string, config: Record<string, Props[string]>): Props {
  if (pkg === "pulumi-nodejs") return config;
  if (pkg === "pulumi") return {};
  const expected = VERSIONS[pkg];
  if (expected === undefined) refuse(`the package '${pkg}'`);
  if (version !== expected) refuse(`version ${version} of the package '${pkg}' (only ${expected})`);
  const own = Object.entries(config).filter(([key]) => key.startsWith(`${pkg}:`));
  const settings = Object.fromEntries(own.map(([key, value]) => [key.slice(pkg.length + 1), value]));
  const extra: Props = pkg === "command" ? { "__pulumi-go-provider-version": "1.2.0" } : {};
  return { __internal: {}, ...extra, ...settings, version };
}

/** What a provider resource answers: its arguments without the engine's own. */
export function providerOutputs(inputs: Props): Props {
  return omit(inputs, "__internal");
}
