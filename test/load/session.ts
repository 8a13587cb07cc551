import { WebSocket, type RawData } from "ws";
import { ANSWER_WITHIN_MS } from "./classify.js";
import { encodeRerun, readForward, subprotocols, type Told } from "./protocol.js";
import { User } from "./user.js";

/** What a session tells of itself as it happens. */
export interface SessionEvents {
  /** A script run that was asked for has ended; `reason` null is good. */
  rerun(session: number, latencyMs: number, reason: string | null): void;
  /** Closed by the server or the proxy. `pending`: a rerun was under way. */
  cut(session: number, code: number, reason: string, pending: boolean): void;
  marker(marker: string): void;
}

interface Pending {
  readonly dueAt: number;
  readonly timer: NodeJS.Timeout;
  readonly end: (reason: string | null) => void;
  exception: string | null;
}

/**
 * One Streamlit session as a browser has it: the page, the health pings, the websocket, runs of the script.
 * It connects when told to; whoever owns it decides on retries.
 */
export class Session {
  readonly user: User;
  private socket: WebSocket | null = null;
  private lastId: string | null = null;
  private ready = false;
  private pending: Pending | null = null;

  constructor(readonly number: number, private readonly base: string, private readonly events: SessionEvents) {
    this.user = new User(`session ${number}`, base);
  }

  /** The server's id of this session while it is open, else null. */
  get id(): string | null {
    return this.ready ? this.lastId : null;
  }

  get busy(): boolean {
    return this.pending !== null;
  }

  /** Loads the page anew: what was there before is forgotten, but not the cookies. */
  async loadPage(): Promise<void> {
    this.lastId = null;
    const answer = await this.user.page(ANSWER_WITHIN_MS);
    if (answer.status !== 200) throw new Error(`the page answered ${answer.status}`);
  }

  /** Pings as the frontend does, opens the websocket and has the script run once. Rejects with the reason when any of it fails. */
  async connect(): Promise<void> {
    for (const path of ["/_stcore/health", "/_stcore/host-config"]) {
      const { status } = await this.user.ask({ method: "GET", path, withinMs: ANSWER_WITHIN_MS });
      if (status !== 200) throw new Error(`${path} answered ${status}`);
    }
    await this.open();
    const reason = await new Promise<string | null>((resolve) => this.begin(performance.now(), resolve));
    if (reason === null && this.lastId !== null) {
      this.ready = true;
      return;
    }
    this.close();
    throw new Error(`the script's first run: ${reason ?? "no session id came"}`);
  }

  /** Asks for a run of the script, due at `dueAt` (performance.now()). One at a time: nothing is sent while one is under way. */
  rerun(dueAt: number): void {
    if (!this.ready || this.pending !== null) return;
    this.begin(dueAt, (reason) => this.events.rerun(this.number, performance.now() - dueAt, reason));
  }

  /** Leaves by our own choice, as a browser does that navigates away. */
  close(): void {
    const { socket, ready } = this;
    if (!ready) this.finish("left while connecting");
    this.forget();
    if (socket === null) return;
    // A server that does not answer the closing handshake must not keep this process alive.
    const timer = setTimeout(() => socket.terminate(), 1000);
    socket.once("close", () => clearTimeout(timer));
    socket.close(1001);
  }

  private open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const cookie = this.user.jar.header();
      const socket = new WebSocket(`${this.base.replace("http:", "ws:")}/_stcore/stream`, subprotocols(this.lastId), {
        origin: this.base,
        perMessageDeflate: false,
        handshakeTimeout: ANSWER_WITHIN_MS,
        headers: cookie === null ? {} : { Cookie: cookie },
      });
      this.socket = socket;
      socket.once("upgrade", (response) => this.user.jar.take(response.headers["set-cookie"]));
      socket.once("open", () => resolve());
      socket.on("error", reject);
      socket.on("message", (data) => this.read(socket, data));
      socket.once("close", (code, reason) => {
        reject(new Error(`the websocket was closed (${code})`));
        this.closed(socket, code, reason.toString("utf8"));
      });
    });
  }

  private begin(dueAt: number, end: (reason: string | null) => void): void {
    const timer = setTimeout(() => this.finish("no end of the script's run within 5 s"), Math.max(1, dueAt + ANSWER_WITHIN_MS - performance.now()));
    this.pending = { dueAt, timer, end, exception: null };
    this.socket?.send(encodeRerun(), (error) => {
      if (error && this.socket?.readyState === WebSocket.OPEN) this.finish(`not sent: ${error.message}`);
    });
  }

  private finish(reason: string | null): void {
    const { pending } = this;
    if (pending === null) return;
    clearTimeout(pending.timer);
    this.pending = null;
    pending.end(reason);
  }

  private read(socket: WebSocket, data: RawData): void {
    if (socket !== this.socket) return;
    let told: Told;
    try {
      told = readForward(Buffer.isBuffer(data) ? data : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]));
    } catch (error) {
      this.finish(`wrong body: a frame that is not Streamlit's (${String(error)})`);
      return;
    }
    if (told.marker !== undefined) this.events.marker(told.marker);
    if (told.sessionId !== undefined) this.lastId = told.sessionId;
    if (told.exception !== undefined && this.pending !== null) this.pending.exception ??= told.exception;
    if (told.finished === undefined || told.finished === "again") return;
    if (told.finished !== "success") this.finish(`the script's run ended with: ${told.finished}`);
    else this.finish(this.pending?.exception == null ? null : `the script raised ${this.pending.exception}`);
  }

  /** The socket has closed. If nobody here asked for it, that is a cut (or, before the first run, a failed connect). */
  private closed(socket: WebSocket, code: number, reason: string): void {
    if (socket !== this.socket) return;
    const { ready, pending } = this;
    if (!ready) {
      this.finish(`the websocket was closed (${code})`);
      this.forget();
      return;
    }
    this.forget();
    this.events.cut(this.number, code, reason, pending !== null);
  }

  private forget(): void {
    if (this.pending !== null) clearTimeout(this.pending.timer);
    this.pending = null;
    this.ready = false;
    this.socket = null;
  }
}
