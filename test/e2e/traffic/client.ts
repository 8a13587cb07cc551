/** What users do to the front door: requests, websockets, and a steady stream of both. */
import { Agent, request, type IncomingHttpHeaders } from "node:http";
import WebSocket from "ws";

/** As a browser asks for a page. */
export const PAGE = { Accept: "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document" };

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  /** Container that answered, and what it was given; "" and {} when it was not an app. */
  by: string;
  given: Record<string, string>;
  path: string;
}

interface Asking {
  headers?: Record<string, string>;
  method?: string;
  body?: string;
  agent?: Agent;
  timeoutMs?: number;
}

export async function ask(url: string, { headers = {}, method = "GET", body, agent, timeoutMs = 5000 }: Asking = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: agent ?? false, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => (text += part));
      response.on("error", reject);
      response.on("end", () => {
        const told = parse(text);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text, by: told.name, given: told.headers, path: told.path });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

function parse(text: string): { name: string; headers: Record<string, string>; path: string } {
  try {
    const value = JSON.parse(text) as Partial<{ name: string; headers: Record<string, string>; path: string }>;
    return { name: value.name ?? "", headers: value.headers ?? {}, path: value.path ?? "" };
  } catch {
    return { name: "", headers: {}, path: "" };
  }
}

/** The release cookie that an answer sets, as a request carries it; "" for none. */
export function cookieOf({ headers }: Answer): string {
  return headers["set-cookie"]?.map((line) => line.split(";")[0] ?? "").find((one) => one.startsWith("pbjrag_release=")) ?? "";
}

export interface User {
  readonly socket: WebSocket;
  /** Container at the other end. */
  readonly by: string;
  closed: boolean;
  /** Sends a word and waits until it comes back. */
  echo(): Promise<void>;
  leave(): Promise<void>;
}

export async function connect(url: string, cookie = "", headers: Record<string, string> = {}): Promise<User> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/_stcore/stream`, { headers: { ...headers, ...(cookie === "" ? {} : { Cookie: cookie }) } });
  const by = await new Promise<string>((resolve, reject) => {
    socket.once("message", (data: Buffer) => resolve(data.toString("utf8")));
    socket.once("error", reject);
  });
  const user: User = {
    socket,
    by,
    closed: false,
    echo: () =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no echo from ${by}`)), 5000);
        socket.once("message", () => {
          clearTimeout(timer);
          resolve();
        });
        socket.send("hello");
      }),
    leave: async () => {
      if (socket.readyState === WebSocket.CLOSED) return;
      const gone = new Promise((resolve) => socket.once("close", resolve));
      socket.close();
      await gone;
    },
  };
  socket.on("close", () => (user.closed = true));
  socket.on("error", () => (user.closed = true));
  return user;
}

export interface Stream {
  sent: number;
  readonly failures: string[];
  /** Milliseconds, of all answers. */
  readonly took: number[];
  /** Names of the apps that answered. */
  readonly by: Set<string>;
  stop(): Promise<void>;
}

/** `rate` requests a second, whether or not answers come; half of them over kept connections, every fourth an upload if `uploads`. */
export function stream(url: string, rate = 100, uploads = true): Stream {
  const agent = new Agent({ keepAlive: true, maxSockets: 20 });
  const open = new Set<Promise<void>>();
  const began = performance.now();
  const state: Stream = { sent: 0, failures: [], took: [], by: new Set(), stop: () => stop() };
  const one = async (number: number): Promise<void> => {
    const at = performance.now();
    try {
      const upload = uploads && number % 4 === 3;
      // Each request is another user's, as a proxy in front tells it that is trusted.
      const user = { "X-Forwarded-For": `198.18.${Math.floor(number / 250) % 250}.${number % 250}` };
      const answer = await ask(`${url}/${upload ? "_stcore/upload_file/x" : ""}?n=${number}`, {
        ...(upload ? { method: "PUT", body: "x".repeat(2000), headers: user } : { headers: { ...PAGE, ...user } }),
        ...(number % 2 === 0 ? { agent } : {}),
      });
      if (answer.status !== 200 || answer.by === "") state.failures.push(`${number}: status ${answer.status} ${answer.body.slice(0, 80)}`);
      else state.by.add(answer.by);
    } catch (error) {
      state.failures.push(`${number} after ${Math.round(performance.now() - at)} ms: ${error instanceof Error ? error.message : String(error)}`);
    }
    state.took.push(performance.now() - at);
  };
  const timer = setInterval(() => {
    for (const due = Math.floor(((performance.now() - began) / 1000) * rate); state.sent < due; state.sent += 1) {
      const going = one(state.sent).finally(() => open.delete(going));
      open.add(going);
    }
  }, 5);
  const stop = async (): Promise<void> => {
    clearInterval(timer);
    await Promise.all(open);
    agent.destroy();
  };
  return state;
}
