import { Readable } from "node:stream";
import { AxiosError } from "axios";
import { z } from "zod";
import { parseExact } from "./json.js";

/** `timeout`: no answer in time, Qdrant may still do it; `unreachable`: no connection; `refused`: an HTTP error; `answer`: not what Qdrant says. */
export type QdrantFailure = "timeout" | "unreachable" | "refused" | "answer" | "aborted";

/** What went wrong with one request. Never holds the request itself: its headers carry the key. */
export class QdrantError extends Error {
  override readonly name = "QdrantError";

  constructor(
    /** As in `the scratch Qdrant`. */
    readonly who: string,
    readonly failure: QdrantFailure,
    /** Method and path, as in `POST /collections/a/snapshots`. */
    readonly request: string,
    /** HTTP status; null without an answer. */
    readonly status: number | null,
    detail: string,
    /** Milliseconds after which it may be asked again, where Qdrant says so: with status 429, of a collection with a rate limit. */
    readonly retryAfterMs: number | null = null,
  ) {
    super(`${who}, ${request}: ${detail}`);
  }
}

/** What axios threw, as a failure of the request `request` to `who`. */
export async function explained(error: unknown, who: string, request: string): Promise<QdrantError> {
  if (!(error instanceof AxiosError)) return new QdrantError(who, "unreachable", request, null, String(error));
  if (error.response === undefined) return new QdrantError(who, "unreachable", request, null, error.code ?? error.message);
  const status = error.response.status;
  const data: unknown = error.response.data instanceof Readable ? await firstBytes(error.response.data) : error.response.data;
  return new QdrantError(who, "refused", request, status, `${status} ${reason(data)}`.trim(), status === 429 ? retryAfter(error.response.headers["retry-after"]) : null);
}

/** Qdrant 1.19.0 gives whole seconds; none where the request costs more than a minute's budget, so that it can never be granted. */
function retryAfter(header: unknown): number | null {
  const told = z.coerce.number().nonnegative().max(3600).safeParse(header ?? undefined);
  return told.success ? Math.max(1, told.data) * 1000 : null;
}

/** Text that is no JSON stays text: then it is no answer. */
export function parsed(text: string): unknown {
  try {
    return parseExact(text);
  } catch {
    return text;
  }
}

/** Qdrant tells the cause as `{"status": {"error": "…"}}`. */
function reason(data: unknown): string {
  const told = z.object({ status: z.object({ error: z.string() }) }).safeParse(typeof data === "string" ? parsed(data) : data);
  const text = told.success ? told.data.status.error : typeof data === "string" ? data : "";
  return text.slice(0, 500);
}

async function firstBytes(body: Readable): Promise<string> {
  for await (const chunk of body) return String(chunk).slice(0, 500);
  return "";
}
