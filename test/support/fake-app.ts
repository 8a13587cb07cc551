import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocketServer, type WebSocket } from "ws";
import { encodeField, encodeNumber } from "../../components/streamlit/protobuf.js";

/** How the fake app misbehaves; it may be changed while it runs. */
export interface Behaviour {
  /** Status for pages instead of 200. */
  pageStatus: number;
  /** Another body under the same asset name. */
  wrongAsset: boolean;
  /** Milliseconds before each answer. */
  delayMs: number;
  /** The script raises. */
  scriptRaises: boolean;
  /** Value of the release cookie set with each page (before `~`); none when empty. */
  release: string;
}

export interface FakeApp {
  readonly url: string;
  readonly behaviour: Behaviour;
  /** Cookies that came with page loads ("" for none). */
  readonly pageCookies: string[];
  readonly acceptOfPages: Set<string>;
  openSessions(): number;
  /** Closes all websockets as a proxy does that stops. */
  cutSessions(): void;
  /** Ends the server and all its connections, as a kill does. */
  kill(): Promise<void>;
  /** Listens again on the same port. */
  revive(): Promise<void>;
}

const PAGE = '<!doctype html><html><head><link href="./static/css/main.23bdda6f.css" rel="stylesheet"></head><body><div id="root"></div></body></html>';

/** A server with Streamlit's paths and frames and nothing behind them: what a load generator must notice can be switched on. */
export async function startFakeApp(): Promise<FakeApp> {
  const behaviour: Behaviour = { pageStatus: 200, wrongAsset: false, delayMs: 0, scriptRaises: false, release: "v1.0.0-aaaaaaaa" };
  const pageCookies: string[] = [];
  const acceptOfPages = new Set<string>();
  const sessions = new Map<string, WebSocket>();
  const connections = new Set<Socket>();
  const websockets = new WebSocketServer({ noServer: true });
  let created = 0;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? "";
    const upload = /^\/_stcore\/upload_file\/([^/]+)\/[^/]+$/.exec(path);
    await once(request.resume(), "end");
    await sleep(behaviour.delayMs);
    const send = (status: number, type: string, body: string): void => {
      response.writeHead(status, { "Content-Type": type }).end(body);
    };
    if (path === "/") {
      pageCookies.push(request.headers.cookie ?? "");
      acceptOfPages.add(request.headers.accept ?? "");
      if (behaviour.release !== "") response.setHeader("Set-Cookie", `pbjrag_release=${behaviour.release}~1; Path=/; HttpOnly`);
      send(behaviour.pageStatus, "text/html", behaviour.pageStatus === 200 ? PAGE : "gone");
    } else if (path === "/static/css/main.23bdda6f.css") send(200, "text/css", behaviour.wrongAsset ? "b{}" : "a{}");
    else if (path === "/_stcore/script-health-check") send(behaviour.scriptRaises ? 503 : 200, "text/html", behaviour.scriptRaises ? "error" : "ok");
    else if (path === "/_stcore/health") {
      response.setHeader("Set-Cookie", "_streamlit_xsrf=2|ab|cd; Path=/");
      send(200, "text/html", "ok");
    } else if (path === "/_stcore/host-config") send(200, "application/json", "{}");
    else if (upload !== null && request.method === "PUT") {
      const known = sessions.has(upload[1] ?? "") && request.headers["x-xsrftoken"] === "2|ab|cd";
      send(known ? 204 : 400, "text/html", known ? "" : "Invalid session_id");
    } else send(404, "text/html", "not found");
  };

  const serve = (socket: WebSocket): void => {
    const id = `session-${++created}`;
    sessions.set(id, socket);
    socket.on("close", () => sessions.delete(id));
    socket.on("message", () => void (async () => {
      await sleep(behaviour.delayMs);
      socket.send(encodeField(4, encodeField(1, encodeField(6, id))));
      const element = behaviour.scriptRaises ? encodeField(8, encodeField(1, "RuntimeError")) : encodeField(29, encodeField(1, "Release: v1.0.0"));
      socket.send(encodeField(5, encodeField(3, element)));
      socket.send(encodeNumber(6, 0));
    })());
  };

  let server: Server;
  const listen = async (port: number): Promise<number> => {
    server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
    server.on("connection", (socket) => {
      connections.add(socket);
      socket.once("close", () => connections.delete(socket));
    });
    server.on("upgrade", (request, socket, head) => websockets.handleUpgrade(request, socket, head, serve));
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  };
  const port = await listen(0);
  return {
    url: `http://127.0.0.1:${port}`,
    behaviour, pageCookies, acceptOfPages,
    openSessions: () => sessions.size,
    cutSessions: () => sessions.forEach((socket) => socket.terminate()),
    kill: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      connections.forEach((socket) => socket.destroy());
      await closed;
    },
    revive: async () => {
      await listen(port);
    },
  };
}
