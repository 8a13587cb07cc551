import { ScriptSession } from "../../components/streamlit/session.js";
import { ANSWER_WITHIN_MS } from "./classify.js";
import { User } from "./user.js";

/** What a session tells of itself as it happens. */
export interface SessionEvents {
  /** A script run that was asked for has ended; `reason` null is good. */
  rerun(session: number, latencyMs: number, reason: string | null): void;
  /** Closed by the server or the proxy. `pending`: a rerun was under way. */
  cut(session: number, code: number, reason: string, pending: boolean): void;
  marker(marker: string): void;
}

/**
 * One Streamlit session as a browser has it: the page, the health pings, the websocket, runs of the script.
 * It connects when told to; whoever owns it decides on retries.
 */
export class Session {
  readonly user: User;
  private stream: ScriptSession | null = null;
  private lastId: string | null = null;
  private ready = false;

  constructor(readonly number: number, private readonly base: string, private readonly events: SessionEvents) {
    this.user = new User(`session ${number}`, base);
  }

  /** The server's id of this session while it is open, else null. */
  get id(): string | null {
    return this.ready ? (this.stream?.sessionId ?? null) : null;
  }

  get busy(): boolean {
    return this.stream?.busy ?? false;
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
    const stream = await this.open();
    this.stream = stream;
    const { reason } = await stream.run();
    this.lastId = stream.sessionId;
    if (reason === null && this.lastId !== null && stream.isOpen) {
      this.ready = true;
      return;
    }
    this.close();
    throw new Error(`the script's first run: ${reason ?? "no session id came"}`);
  }

  /** Asks for a run of the script, due at `dueAt` (performance.now()). One at a time: nothing is sent while one is under way. */
  rerun(dueAt: number): void {
    const { stream } = this;
    if (!this.ready || stream === null || stream.busy) return;
    void stream.run(dueAt).then(({ reason, cut }) => {
      // What is lost with the session counts by its cut.
      if (!cut) this.events.rerun(this.number, performance.now() - dueAt, reason);
    });
  }

  /** Leaves by our own choice, as a browser does that navigates away. */
  close(): void {
    const { stream } = this;
    this.stream = null;
    this.ready = false;
    stream?.close();
  }

  private open(): Promise<ScriptSession> {
    const cookie = this.user.jar.header();
    return ScriptSession.open({
      base: this.base, headers: cookie === null ? {} : { Cookie: cookie }, resume: this.lastId, withinMs: ANSWER_WITHIN_MS,
      onUpgrade: (headers) => this.user.jar.take(headers["set-cookie"]),
      onMarker: (marker) => this.events.marker(marker),
      onCut: (code, reason, pending) => this.closed(code, reason, pending),
    });
  }

  /** Nobody here asked for it: that is a cut, or, before the first run's end, a failed connect. */
  private closed(code: number, reason: string, pending: boolean): void {
    const { ready } = this;
    this.stream = null;
    this.ready = false;
    if (ready) this.events.cut(this.number, code, reason, pending);
  }
}
