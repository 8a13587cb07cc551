import { z } from "zod";

/** How a state is brought in line with what Docker has, without touching anything that Docker has. */
export interface StateEdit {
  /** Docker's new ID of an object that the state knows by another one. */
  adopted: { urn: string; from: string; to: string }[];
  /** URNs of objects that are gone: the next update makes them anew. */
  forgotten: string[];
}

const names = z.array(z.string());
const resource = z.looseObject({
  urn: z.string(),
  id: z.string().optional(),
  outputs: z.looseObject({}).optional(),
  dependencies: names.nullish(),
  propertyDependencies: z.record(z.string(), names.nullable()).nullish(),
  deletedWith: z.string().optional(),
  pendingReplacement: z.boolean().optional(),
});
const exported = z.looseObject({ deployment: z.looseObject({ resources: z.array(resource) }) });

/**
 * Pure. Only what an adopted object's ID is changes, in its entry and in its outputs, so that an update finds it as declared. What is
 * forgotten goes out of the lists of what others depend on as well: Pulumi takes no state in which a dependency is missing.
 *
 * @param state as `pulumi stack export` prints it
 */
export function editState(state: string, { adopted, forgotten }: StateEdit): string {
  const whole = exported.parse(JSON.parse(state));
  const gone = new Set(forgotten);
  const stays = (urns: readonly string[]): string[] => urns.filter((urn) => !gone.has(urn));
  const resources = whole.deployment.resources.filter(({ urn }) => !gone.has(urn)).map((one) => {
    const { dependencies, propertyDependencies, deletedWith, pendingReplacement, ...rest } = one;
    const swap = adopted.find(({ urn, from }) => urn === one.urn && from === one.id);
    return {
      ...rest,
      ...(dependencies === undefined ? {} : { dependencies: dependencies === null ? null : stays(dependencies) }),
      ...(propertyDependencies === undefined ? {} : {
        propertyDependencies: propertyDependencies === null ? null : Object.fromEntries(Object.entries(propertyDependencies).map(([key, urns]) => [key, urns === null ? null : stays(urns)])),
      }),
      ...(deletedWith === undefined || gone.has(deletedWith) ? {} : { deletedWith }),
      // What was to be made in its place is there.
      ...(swap !== undefined || pendingReplacement === undefined ? {} : { pendingReplacement }),
      ...(swap === undefined ? {} : { id: swap.to, outputs: { ...rest.outputs, id: swap.to } }),
    };
  });
  return JSON.stringify({ ...whole, deployment: { ...whole.deployment, resources } });
}
