import { isObject, omit, type Props, type Value } from "./values.js";

/** A property path in parts; `*` stands for every element. */
export type Path = (string | number)[];

/** Parses `a.b[0]["c.d"].*` as the engine does. */
export function parsePath(text: string): Path {
  const parts: Path = [];
  const token = /\.?(?:\[(\d+|\*|"(?:[^"\\]|\\.)*")\]|([^.[\]]+))/y;
  while (token.lastIndex < text.length) {
    const start = token.lastIndex;
    const match = token.exec(text);
    if (match === null) throw new Error(`invalid property path '${text}' at ${start}`);
    const bracket = match[1];
    if (bracket === undefined) parts.push(match[2] ?? "");
    else if (bracket.startsWith('"')) parts.push(JSON.parse(bracket) as string);
    else parts.push(bracket === "*" ? "*" : Number(bracket));
  }
  return parts;
}

function child(value: Value | undefined, key: string | number): Value | undefined {
  if (Array.isArray(value)) return typeof key === "number" ? value[key] : undefined;
  return isObject(value) ? value[String(key)] : undefined;
}

/**
 * `ignoreChanges`: sets what a path names in the new inputs to its value in the old ones, and removes it
 * where the old ones have none. Answers the new inputs; the given ones stay as they are.
 */
export function takeOld(news: Props, olds: Props, paths: readonly string[]): Props {
  return paths.reduce((inputs, text) => resetAt(inputs, olds, parsePath(text)) as Props, news);
}

function resetAt(news: Value | undefined, olds: Value | undefined, path: Path): Value | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return olds;
  if (key === "*") {
    const keys = Array.isArray(news) ? [...news.keys()] : isObject(news) ? Object.keys(news) : [];
    return keys.reduce<Value | undefined>((value, each) => resetAt(value, olds, [each, ...rest]), news);
  }
  const value = resetAt(child(news, key), child(olds, key), rest);
  if (Array.isArray(news) && typeof key === "number") {
    // An element cannot be taken out of the middle of a list: the real engine leaves such a list alone.
    return value === undefined ? news : news.map((item, index) => (index === key ? value : item));
  }
  if (!isObject(news)) return news;
  const others = omit(news, String(key));
  return value === undefined ? others : { ...others, [key]: value };
}

/** Whether a path (with `*`) names the given property or something inside it. */
export function namesProperty(text: string, property: string): boolean {
  const first = parsePath(text)[0];
  return first === "*" || first === property;
}
