/** A Streamlit session over its websocket, as a browser has it: opened, and the script run when it is asked for. */
import type { IncomingHttpHeaders } from "node:http";
import { WebSocket, type RawData } from "ws";
import { encodeRerun, readForward, subprotocols, type Told } from "./protocol.js";

/** Milliseconds that a server has to answer the closing handshake: it must not keep this process alive. */
const CLOSING_MS = 1000;

export interface SessionOptions {
  /** Of the app's front door: `http://127.0.0.1:8501`. */
  base: string;
  headers: Readonly<Record<string, string>>;
  /** The server's id of a session to be resumed; null: a new one. */
  resume: string | null;
  /** Milliseconds, for the handshake and for each run of the script. */
  withinMs: number;
  onUpgrade?(headers: IncomingHttpHeaders): void;
  /** The page names a release. */
  onMarker?(marker: string): void;
  /** The server or a proxy closed it. @param pending a run was under way, and is lost */
  onCut?(code: number, reason: string, pending: boolean): void;
}

/** How a run of the script ended. */
export interface RunEnd {
  /** What was wrong, in words; null: nothing. */
  reason: string | null;
  /** It was lost as the websocket closed. */
  cut: boolean;
}

interface Pending {
  readonly timer: NodeJS.Timeout;
  readonly end: (end: RunEnd) => void;
  exception: string | null;
}

export class ScriptSession {
  private id: string | null;
  private pending: Pending | null = null;
  private left = false;

  private constructor(private readonly socket: WebSocket, private readonly options: SessionOptions) {
    this.id = options.resume;
    socket.on("message", (data) => this.read(data));
    socket.once("close", (code, reason) => this.closed(code, reason.toString("utf8")));
  }

  /** @throws Error when the websocket could not be opened in time */
  static async open(options: SessionOptions): Promise<ScriptSession> {
    const { base, headers, resume, withinMs } = options;
    const socket = new WebSocket(`${base.replace("http:", "ws:")}/_stcore/stream`, subprotocols(resume), {
      origin: base, perMessageDeflate: false, handshakeTimeout: withinMs, headers: { ...headers },
    });
    socket.once("upgrade", (response) => options.onUpgrade?.(response.headers));
    await new Promise<void>((resolve, reject) => {
      socket.once("open", resolve);
      // Also what is wrong later: the socket closes then, which is what counts.
      socket.on("error", reject);
    });
    return new ScriptSession(socket, options);
  }

  /** The server's id of this session; null until the script has begun for the first time. */
  get sessionId(): string | null {
    return this.id;
  }

  get busy(): boolean {
    return this.pending !== null;
  }

  /** Whether it can be asked for runs. */
  get isOpen(): boolean {
    return !this.left && this.socket.readyState === WebSocket.OPEN;
  }

  /** Asks for a run of the script. One at a time. @param dueAt `performance.now()` from which its time counts */
  run(dueAt: number = performance.now()): Promise<RunEnd> {
    if (this.pending !== null) throw new Error("a run of the script is under way");
    if (!this.isOpen) return Promise.resolve({ reason: "the websocket is closed", cut: true });
    const { withinMs } = this.options;
    return new Promise((end) => {
      const timer = setTimeout(() => this.finish(`no end of the script's run within ${withinMs / 1000} s`), Math.max(1, dueAt + withinMs - performance.now()));
      this.pending = { timer, end, exception: null };
      this.socket.send(encodeRerun(), (error) => {
        if (error && this.isOpen) this.finish(`not sent: ${error.message}`);
      });
    });
  }

  /** Leaves, as a browser does that navigates away. A run that is under way is lost. */
  close(): void {
    if (this.left) return;
    this.left = true;
    this.finish("left while the script ran", true);
    const timer = setTimeout(() => this.socket.terminate(), CLOSING_MS);
    this.socket.once("close", () => clearTimeout(timer));
    this.socket.close(1001);
  }

  private finish(reason: string | null, cut = false): void {
    const { pending } = this;
    if (pending === null) return;
    clearTimeout(pending.timer);
    this.pending = null;
    pending.end({ reason, cut });
  }

  private read(data: RawData): void {
    if (this.left) return;
    let told: Told;
    try {
      told = readForward(Buffer.isBuffer(data) ? data : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]));
    } catch (error) {
      this.finish(`wrong body: a frame that is not Streamlit's (${String(error)})`);
      return;
    }
    if (told.marker !== undefined) this.options.onMarker?.(told.marker);
    if (told.sessionId !== undefined) this.id = told.sessionId;
    if (told.exception !== undefined && this.pending !== null) this.pending.exception ??= told.exception;
    if (told.finished === undefined || told.finished === "again") return;
    if (told.finished !== "success") this.finish(`the script's run ended with: ${told.finished}`);
    else this.finish(this.pending?.exception == null ? null : `the script raised ${this.pending.exception}`);
  }

  private closed(code: number, reason: string): void {
    if (this.left) return;
    this.left = true;
    const { busy } = this;
    this.finish(`the websocket was closed (${code})`, true);
    this.options.onCut?.(code, reason, busy);
  }
}
