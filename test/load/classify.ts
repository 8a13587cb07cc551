/** Judges one answer: null is good, else the reason in words. */
import type { Kind } from "./schedule.js";

/** No answer within this time of the scheduled moment is a failure (milliseconds). */
export const ANSWER_WITHIN_MS = 5000;

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
}

/** What is known of right bodies: for an asset, the first one that this path had. */
export interface Expectation {
  readonly asset?: Buffer;
}

const BODY: Record<Kind, (answer: Answer, expected: Expectation) => string | null> = {
  page: ({ body, contentType }) => {
    if (!contentType.startsWith("text/html")) return `a page of type "${contentType}"`;
    return body.includes('<div id="root">') && assetIn(body) !== null ? null : "a page that is not the app's";
  },
  asset: ({ body, contentType }, { asset }) => {
    if (body.length === 0) return "an empty asset";
    if (!/css|javascript/.test(contentType)) return `an asset of type "${contentType}"`;
    return asset === undefined || asset.equals(body) ? null : "an asset unlike the first one of this name";
  },
  upload: ({ status }) => (status === 204 ? null : `an upload answered ${status}`),
  "script-health": ({ body }) => (body.toString("utf8") === "ok" ? null : "a script health check that is not ok"),
};

export function judge(kind: Kind, answer: Answer, expected: Expectation = {}): string | null {
  if (answer.status >= 400) return `status ${answer.status}${excerpt(answer.body)}`;
  if (answer.status >= 300) return `status ${answer.status}, which no part of the app sends`;
  const wrong = BODY[kind](answer, expected);
  return wrong === null ? null : `wrong body: ${wrong}${excerpt(answer.body)}`;
}

/** The path of a small static file that the page asks for (its style sheet, else its first script), or null. */
export function assetIn(page: Buffer): string | null {
  const html = page.toString("utf8");
  const path = /href="\.?\/?(static\/[^"]+\.css)"/.exec(html)?.[1] ?? /src="\.?\/?(static\/[^"]+\.js)"/.exec(html)?.[1];
  return path === undefined ? null : `/${path}`;
}

function excerpt(body: Buffer): string {
  const text = body.toString("utf8", 0, 120).replace(/\s+/g, " ").trim();
  return text === "" ? "" : ` (${text})`;
}
