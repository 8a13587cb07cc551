/**
 * What no resource of this program may be, whatever declares it: the last look before anything is made. Pure over the arguments. What is
 * known only once something has been made, such as an image's ID, is nobody's choice and passes.
 */
import type { Hardening } from "../app/hardening.js";
import type { Problem } from "../release/model.js";
import { LABEL } from "../runtime/labels.js";
import { isObject, type Raw, type RawObject } from "../settings/defaults.js";
import type { Settings } from "../settings/schema.js";

/** A resource as it is declared; null stands for what is not known yet. */
export interface Declared {
  /** Pulumi's type token. */
  type: string;
  name: string;
  props: RawObject;
  retainOnDelete: boolean;
}

/** What config, and the records of releases, permit. */
export interface Permitted {
  environment: Settings["environment"];
  /** The address that is published. */
  proxy: { bind: string; port: number };
  /** What each declared revision of the app may not do. */
  hardening: Readonly<Record<string, Hardening>>;
}

export const CONTAINER = "docker:index/container:Container";
export const VOLUME = "docker:index/volume:Volume";
export const IMAGE = "docker:index/image:Image";
const LOOPBACK = "127.0.0.1";

type Rule = (props: RawObject, permitted: Permitted, declared: Declared) => string[];

/** Empty where it may be made. All of it are faults of this program: what a person may get wrong is told with the settings. */
export function guardProblems(declared: Declared, permitted: Permitted): Problem[] {
  const [, , kind = declared.type] = declared.type.split(":");
  return (RULES[declared.type] ?? [])
    .flatMap((rule) => rule(declared.props, permitted, declared))
    .map((what) => ({ subject: `${kind} ${declared.name}`, what, next: "this is a fault of the program and not of the config: please report it" }));
}

/** The front door where config says, and the rest on this very machine only. */
const published: Rule = (props, { proxy }) => [
  ...listOf(props["ports"])
    .filter(({ ip, external }) => ip !== LOOPBACK && !(roleOf(props) === "proxy" && ip === proxy.bind && external === proxy.port))
    .map(({ internal, ip, external }) => `publishes port ${say(internal)} on ${say(ip)}:${say(external)}, which config does not say`),
  ...(props["publishAllPorts"] === true ? ["publishes all ports of its image"] : []),
  ...(props["networkMode"] === "host" ? ["is on the host's own network"] : []),
];

const limited: Rule = ({ memory, memorySwap, cpuPeriod, cpuQuota }) => [
  ...(isAbove0(memory) && memorySwap === memory ? [] : ["has no limit of its memory, swap included"]),
  ...(isAbove0(cpuPeriod) && isAbove0(cpuQuota) ? [] : ["has no limit of its cpus"]),
];

const confined: Rule = (props, permitted) => {
  const { noNewPrivileges, dropCapabilities, readOnlyRoot } = confinementOf(props, permitted);
  const { adds, drops } = isObject(props["capabilities"]) ? props["capabilities"] : {};
  return [
    ...(noNewPrivileges && !textsOf(props["securityOpts"]).includes("no-new-privileges:true") ? ["can gain privileges"] : []),
    ...(dropCapabilities && !textsOf(drops).includes("ALL") ? ["keeps capabilities"] : []),
    ...(readOnlyRoot && props["readOnly"] !== true ? ["can write to its image's files"] : []),
    ...(textsOf(adds).length > 0 ? [`is given capabilities (${textsOf(adds).join(", ")})`] : []),
    ...(props["privileged"] === true ? ["is privileged"] : []),
    ...(listOf(props["volumes"]).some(({ hostPath }) => typeof hostPath === "string") || listOf(props["mounts"]).length > 0 ? ["has a directory of the host"] : []),
  ];
};

/** An app's as its release says. Qdrant's image works as root on its volume, which takes capabilities. */
function confinementOf(props: RawObject, { hardening }: Permitted): Pick<Hardening, "noNewPrivileges" | "dropCapabilities" | "readOnlyRoot"> {
  const of = roleOf(props) === "app" ? hardening[labelOf(props, LABEL.revision)] : undefined;
  return of ?? { noNewPrivileges: true, dropCapabilities: roleOf(props) !== "qdrant", readOnlyRoot: false };
}

const pinned = (key: "image" | "imageName"): Rule => (props, { environment }) => {
  const image = props[key];
  return environment === "prod" && typeof image === "string" && isFloating(image) ? [`runs ${image}, which is another image tomorrow`] : [];
};

/** Data outlives its stack, and a config that no longer names it. */
const keptData: Rule = (props, _permitted, { retainOnDelete }) =>
  roleOf(props) !== "data" || retainOnDelete ? [] : ["holds data and would be deleted with the stack"];

const RULES: Readonly<Record<string, readonly Rule[]>> = {
  [CONTAINER]: [published, limited, confined, pinned("image")],
  [IMAGE]: [pinned("imageName")],
  [VOLUME]: [keptData],
};

/** Named by nothing that stays: `latest`, or no version at all. An ID or a digest stays. */
export function isFloating(image: string): boolean {
  if (image.startsWith("sha256:") || image.includes("@sha256:")) return false;
  const tag = /:([^/:]*)$/.exec(image)?.[1] ?? "latest";
  return tag === "latest";
}

function labelOf(props: RawObject, label: string): string {
  const value = listOf(props["labels"]).find((one) => one["label"] === label)?.["value"];
  return typeof value === "string" ? value : "";
}

const roleOf = (props: RawObject): string => labelOf(props, LABEL.role);
const listOf = (value: Raw | undefined): RawObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
const textsOf = (value: Raw | undefined): string[] => (Array.isArray(value) ? value.filter((one) => typeof one === "string") : []);
const isAbove0 = (value: Raw | undefined): boolean => typeof value === "number" && value > 0;
const say = (value: Raw | undefined): string => (typeof value === "string" || typeof value === "number" ? String(value) : "any");
