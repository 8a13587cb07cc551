import { Document, parseDocument } from "yaml";

/**
 * Pure edits of a `Pulumi.<stack>.yaml`. Comments and order stay as they are, so that the change to commit is one line.
 */
const namespace = "pbjrag";

/** Raw value of one key of the namespace, or undefined. Secrets come as `{secure: …}`. */
export function configValue(text: string, key: string): unknown {
  const parsed = parseDocument(text).toJS() as { config?: Record<string, unknown> } | null;
  return parsed?.config?.[`${namespace}:${key}`];
}

/** All values of the namespace, keys without it. */
export function configValues(text: string): Record<string, unknown> {
  const parsed = parseDocument(text).toJS() as { config?: Record<string, unknown> } | null;
  const prefix = `${namespace}:`;
  return Object.fromEntries(
    Object.entries(parsed?.config ?? {})
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}

/** The text with the given keys set; a key whose value is undefined is removed. */
export function withConfig(text: string, values: Record<string, unknown>): string {
  const parsed = parseDocument(text);
  const doc = parsed.contents === null ? emptyDocument(parsed.commentBefore) : parsed;
  if (!doc.has("config")) doc.set("config", doc.createNode({}));
  for (const [key, value] of Object.entries(values)) {
    const path = ["config", `${namespace}:${key}`];
    if (value === undefined) doc.deleteIn(path);
    else doc.setIn(path, typeof value === "object" ? doc.createNode(value) : value);
  }
  return doc.toString({ lineWidth: 0 });
}

function emptyDocument(comment: string | null): Document {
  const doc = new Document({});
  doc.commentBefore = comment;
  return doc;
}
