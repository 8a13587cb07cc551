import { asText, type Props, type Value } from "../../values.js";

/** A property as text, or undefined. */
export const text = (props: Props, key: string): string | undefined => {
  const value = props[key];
  return typeof value === "string" ? value : undefined;
};

/** A property as a number, or undefined. */
export const number = (props: Props, key: string): number | undefined => {
  const value = props[key];
  return typeof value === "number" ? value : undefined;
};

/** Whether a property is true. */
export const flag = (props: Props, key: string): boolean => props[key] === true;

/** A property as a list of texts. */
export const texts = (props: Props, key: string): string[] => {
  const value = props[key];
  return Array.isArray(value) ? value.map(asText) : [];
};

/** A property as a list of objects. */
export const objects = (props: Props, key: string): Props[] => {
  const value = props[key];
  if (!Array.isArray(value)) return [];
  return value.filter((item): item is Props => typeof item === "object" && item !== null && !Array.isArray(item));
};

/** A property as a map of texts. */
export const textMap = (props: Props, key: string): Record<string, string> => {
  const value = props[key];
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, asText(item)]));
};

/** Labels as Docker wants them. */
export const labelMap = (props: Props): Record<string, string> =>
  Object.fromEntries(objects(props, "labels").map((each) => [asText(each.label), asText(each.value)]));

/** Labels as the state has them. */
export const labelList = (labels: Record<string, string> | null | undefined): Value[] =>
  Object.entries(labels ?? {})
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([label, value]) => ({ label, value }));

/** Whether an error of the daemon says that the thing is not there. */
export const isMissing = (error: unknown): boolean => (error as { statusCode?: number }).statusCode === 404;
