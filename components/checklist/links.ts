/** Links of documents to files of the same tree. What is on the web is not asked for. Pure but for reading the tree. */
import path from "node:path";
import { type Answer, fail, pass, type Tree, unknown } from "./model.js";

/** `[text](target "title")`, `![text](target)`, `[name]: target`. */
const INLINE = /\]\(\s*<?([^)\s>]+)>?(?:\s+["'(][^)]*)?\)/g;
const REFERENCE = /^\s{0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)/gm;

export function checkLinks(tree: Tree): Answer {
  const documents = tree.files.filter((file) => /\.(?:md|markdown)$/i.test(file));
  if (documents.length === 0) return unknown("there are no documents (*.md) to look at");
  const there = new Set(tree.files.flatMap((file) => [file, ...above(file)]));
  const all = documents.flatMap((document) => localLinks(tree.read(document)).map((target) => ({ document, target })));
  const broken = all.filter(({ document, target }) => !there.has(resolved(document, target)));
  const looked = `${all.length} links to files in ${documents.length} documents`;
  return broken.length === 0 ? pass(looked) : fail(`${broken.length} of ${looked} lead nowhere`, broken.map(({ document, target }) => `${document}: ${target}`));
}

/** Targets that are paths, as they are written. */
export function localLinks(markdown: string): string[] {
  const text = markdown.replace(/^( {0,3})(`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:^\1\2[^\n]*$|(?![\s\S]))/gm, "").replace(/(`+)[^`][\s\S]*?\1/g, "");
  const targets = [...text.matchAll(INLINE), ...text.matchAll(REFERENCE)].map(([, target]) => target ?? "");
  return targets.filter((target) => target !== "" && !target.startsWith("#") && !/^[a-z][a-z0-9+.-]*:|^\/\//i.test(target));
}

function resolved(document: string, target: string): string {
  const file = decoded((target.split("#")[0] ?? "").split("?")[0] ?? "");
  return path.posix.normalize(file.startsWith("/") ? file.slice(1) : path.posix.join(path.posix.dirname(document), file)).replace(/\/$/, "") || ".";
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function above(file: string): string[] {
  const parts = file.split("/");
  return [".", ...parts.slice(0, -1).map((_, at) => parts.slice(0, at + 1).join("/"))];
}
