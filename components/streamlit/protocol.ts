/**
 * Streamlit's websocket messages as a browser sends and reads them: BackMsg (to the server) and ForwardMsg (from it).
 * Field numbers are those of streamlit 1.40's protobuf descriptors; they have not changed since 1.12.
 */
import { decodeFields, encodeField, fieldAt } from "./protobuf.js";

const BACK_RERUN_SCRIPT = 11;
const CLIENT_STATE = { queryString: 1, pageScriptHash: 3 } as const;
const FORWARD = { newSession: 4, delta: 5, scriptFinished: 6 } as const;
const SESSION_ID_IN_NEW_SESSION = [1, 6];
const DELTA = { newElement: 3 } as const;
const EXCEPTION_IN_ELEMENT = 8;
const EXCEPTION = { type: 1, message: 2 } as const;
const STATUS = { success: 0, compileError: 1, earlyForRerun: 2, fragment: 3 } as const;

/** What one frame told. A frame tells one thing at most; `marker` may come with any. */
export interface Told {
  /** The server's id of this session; each run of the script starts with it. */
  readonly sessionId?: string;
  /** A script run has ended: its outcome, or "again" where the script asked for another run itself. */
  readonly finished?: "success" | "compile error" | "again" | "unknown";
  /** An exception is on the page. */
  readonly exception?: string;
  /** The release that the page names with the words `Release: vX`. */
  readonly marker?: string;
}

/** The subprotocols of the websocket: the name, a token (none here), and the session to be resumed. */
export function subprotocols(lastSessionId: string | null): string[] {
  return ["streamlit", "PLACEHOLDER_AUTH_TOKEN", ...(lastSessionId === null ? [] : [lastSessionId])];
}

/** The message by which a browser asks for a run of the script. */
export function encodeRerun(): Buffer {
  const state = Buffer.concat([encodeField(CLIENT_STATE.queryString, ""), encodeField(CLIENT_STATE.pageScriptHash, "")]);
  return encodeField(BACK_RERUN_SCRIPT, state);
}

/** Reads one frame. Throws on bytes that are no ForwardMsg. */
export function readForward(frame: Buffer): Told {
  const marker = markerIn(frame);
  const named = marker === null ? {} : { marker };
  for (const field of decodeFields(frame)) {
    if (field.number === FORWARD.scriptFinished) return { finished: outcome(field.varint), ...named };
    if (field.bytes === undefined) continue;
    if (field.number === FORWARD.newSession) {
      const id = fieldAt(field.bytes, SESSION_ID_IN_NEW_SESSION);
      return id === null ? named : { sessionId: id.toString("utf8"), ...named };
    }
    if (field.number === FORWARD.delta) {
      const exception = fieldAt(field.bytes, [DELTA.newElement, EXCEPTION_IN_ELEMENT]);
      return exception === null ? named : { exception: describe(exception), ...named };
    }
  }
  return named;
}

/** The release named in a page or frame by the words `Release: vX`, or null. */
export function markerIn(content: Buffer): string | null {
  const at = content.indexOf("Release: ");
  if (at < 0) return null;
  return /^Release: (v[0-9][0-9A-Za-z.+-]*)/.exec(content.toString("latin1", at, at + 80))?.[1] ?? null;
}

function outcome(status: number | undefined): NonNullable<Told["finished"]> {
  switch (status) {
    case STATUS.success:
    case STATUS.fragment: return "success";
    case STATUS.compileError: return "compile error";
    case STATUS.earlyForRerun: return "again";
    default: return "unknown";
  }
}

function describe(exception: Buffer): string {
  const text = (number: number): string => fieldAt(exception, [number])?.toString("utf8") ?? "";
  return `${text(EXCEPTION.type)}: ${text(EXCEPTION.message)}`.slice(0, 300);
}
