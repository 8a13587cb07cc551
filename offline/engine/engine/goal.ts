import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb.js";
import { fail, refuse } from "../errors.js";
import { fromStruct } from "../rpc.js";
import type { StackName } from "../state/backend.js";
import type { Resource } from "../state/checkpoint.js";
import { hasAsset, unwrapOutputs, withoutNulls, type Props } from "../values.js";
import { urnOf } from "./urn.js";

/** What the program wants of one resource. */
export interface Goal {
  urn: string;
  type: string;
  name: string;
  custom: boolean;
  parent?: string;
  inputs: Props;
  /** The explicit provider, as `urn::id`. */
  provider: string;
  version: string;
  dependencies: string[];
  propertyDependencies: Record<string, string[]>;
  /** Undefined leaves it to the provider. */
  deleteBeforeReplace?: boolean;
  ignoreChanges: string[];
  replaceOnChanges: string[];
  additionalSecretOutputs: string[];
  protect: boolean;
  retainOnDelete: boolean;
  deletedWith: string;
  customTimeouts?: Record<string, number>;
  /** The URNs it may have had before. */
  aliases: string[];
}

/** Reads a registration, and refuses by name what the stand-in cannot do. */
export function goalOf(request: RegisterResourceRequest, stack: StackName): Goal {
  const type = request.getType();
  const name = request.getName();
  const parent = request.getParent() === "" ? undefined : request.getParent();
  const where = `of ${type} '${name}'`;
  if (request.getImportid() !== "") refuse(`the option 'import' ${where}`);
  if (request.getRemote()) refuse(`remote components (${type})`);
  if (request.getTransformsList().length > 0) refuse(`the option 'transforms' ${where}`);
  if (request.getStateMigrationsList().length > 0) refuse(`state migrations ${where}`);
  if (request.getReplaceWithList().length > 0) refuse(`the option 'replaceWith' ${where}`);
  if (request.hasReplacementTrigger()) refuse(`the option 'replacementTrigger' ${where}`);
  if (request.getHidediffsList().length > 0) refuse(`the option 'hideDiffs' ${where}`);
  if (hasHooks(request)) refuse(`the option 'hooks' ${where}`);
  const inputs = withoutNulls(unwrapOutputs(fromStruct(request.getObject())) as Props);
  if (hasAsset(inputs)) refuse(`assets and archives (in ${type} '${name}')`);
  return {
    urn: urnOf(stack, type, name, parent),
    type,
    name,
    custom: request.getCustom(),
    parent,
    inputs,
    provider: request.getProvider(),
    version: request.getVersion(),
    dependencies: request.getDependenciesList(),
    propertyDependencies: propertyDependencies(request),
    ...(request.getDeletebeforereplacedefined() ? { deleteBeforeReplace: request.getDeletebeforereplace() } : {}),
    ignoreChanges: request.getIgnorechangesList(),
    replaceOnChanges: request.getReplaceonchangesList(),
    additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
    protect: request.getProtect() ?? false,
    retainOnDelete: request.getRetainondelete() ?? false,
    deletedWith: request.getDeletedwith(),
    customTimeouts: timeouts(request),
    aliases: aliases(request, stack, type, name, parent),
  };
}

function propertyDependencies(request: RegisterResourceRequest): Record<string, string[]> {
  const all: Record<string, string[]> = {};
  request.getPropertydependenciesMap().forEach((value, key) => (all[key] = value.getUrnsList()));
  return all;
}

function hasHooks(request: RegisterResourceRequest): boolean {
  const hooks = request.getHooks()?.toObject();
  return hooks !== undefined && Object.values(hooks).some((each) => Array.isArray(each) && each.length > 0);
}

function timeouts(request: RegisterResourceRequest): Record<string, number> | undefined {
  const { create, update, pb_delete } = {
    create: request.getCustomtimeouts()?.getCreate() ?? "",
    update: request.getCustomtimeouts()?.getUpdate() ?? "",
    pb_delete: request.getCustomtimeouts()?.getDelete() ?? "",
  };
  const given = Object.entries({ create, update, delete: pb_delete }).filter(([, text]) => text !== "");
  return given.length === 0 ? undefined : Object.fromEntries(given.map(([key, text]) => [key, seconds(text)]));
}

const UNITS: Record<string, number> = { h: 3600, m: 60, s: 1, ms: 0.001 };

/** Seconds of a duration as Go writes it: `1h30m`. */
export function seconds(text: string): number {
  if (!/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(text)) fail(`invalid duration '${text}' in customTimeouts`);
  return [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (UNITS[unit ?? "s"] ?? 1),
    0,
  );
}

function aliases(request: RegisterResourceRequest, stack: StackName, type: string, name: string, parent?: string): string[] {
  return request.getAliasesList().map((alias) => {
    if (alias.hasUrn()) return alias.getUrn();
    const spec = alias.getSpec();
    if (spec === undefined || spec.getStack() !== "" || spec.getProject() !== "") {
      refuse(`aliases to another stack or project (of ${type} '${name}')`);
    }
    const under = spec.getNoparent() ? undefined : spec.getParenturn() || parent;
    return urnOf(stack, spec.getType() || type, spec.getName() || name, under);
  });
}

/** The state of a resource as its goal has it; what the provider says is added by the step. */
export function stateOf(goal: Goal, inputs: Props, provider: string): Resource {
  const some = <T>(list: T[]): T[] | undefined => (list.length === 0 ? undefined : list);
  const state: Resource = {
    urn: goal.urn,
    custom: goal.custom,
    type: goal.type,
    inputs,
    parent: goal.parent,
    protect: goal.protect || undefined,
    dependencies: some(goal.dependencies),
    provider: provider === "" ? undefined : provider,
    propertyDependencies: Object.keys(goal.propertyDependencies).length === 0 ? undefined : goal.propertyDependencies,
    additionalSecretOutputs: some(goal.additionalSecretOutputs),
    customTimeouts: goal.customTimeouts,
    retainOnDelete: goal.retainOnDelete || undefined,
    deletedWith: goal.deletedWith === "" ? undefined : goal.deletedWith,
    ignoreChanges: some(goal.ignoreChanges),
    replaceOnChanges: some(goal.replaceOnChanges),
    aliases: some(goal.aliases),
  };
  return state;
}
