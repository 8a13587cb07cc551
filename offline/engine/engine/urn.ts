import type { StackName } from "../state/backend.js";

/** The type of the resource that stands for the stack itself. */
export const STACK_TYPE = "pulumi:pulumi:Stack";
/** The type of a reference to another stack's outputs, or to one's own. */
export const REFERENCE_TYPE = "pulumi:pulumi:StackReference";

/** The URN of a resource; the parents' types are part of it, the stack's is not. */
export function urnOf(stack: StackName, type: string, name: string, parent?: string): string {
  const chain = parent === undefined || parent === "" ? "" : qualifiedType(parent);
  const prefix = chain === "" || chain === STACK_TYPE ? "" : `${chain}$`;
  return `urn:pulumi:${stack.stack}::${stack.project}::${prefix}${type}::${name}`;
}

function qualifiedType(urn: string): string {
  return urn.split("::")[2] ?? "";
}

/** A URN's own type. */
export function typeOf(urn: string): string {
  return qualifiedType(urn).split("$").at(-1) ?? "";
}

/** A URN's name; it may hold `::`. */
export function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

/** The URN of the stack's own resource. */
export function stackUrn(stack: StackName): string {
  return urnOf(stack, STACK_TYPE, `${stack.project}-${stack.stack}`);
}

/** Whether a type is one of a provider itself. */
export const isProviderType = (type: string): boolean => type.startsWith("pulumi:providers:");

/** The package of a type: `docker` of `docker:index/network:Network`. */
export const packageOf = (type: string): string => type.split(":")[0] ?? "";

/** A type as progress lines show it: `docker:index:Network` of `docker:index/network:Network`. */
export function shortType(type: string): string {
  const [pkg = "", module = "", name = ""] = type.split(":");
  const [directory = "", file = ""] = module.split("/");
  const same = file.toLowerCase() === name.toLowerCase();
  return same && file !== "" ? `${pkg}:${directory}:${name}` : type;
}
