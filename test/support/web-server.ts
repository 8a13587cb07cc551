import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { text } from "node:stream/consumers";

export interface WebServer {
  /** Without a slash at its end. */
  readonly url: string;
  /** Bodies of the requests that came, oldest first. */
  readonly got: string[];
  close(): Promise<void>;
}

/** A real HTTP server of this process on a free port. @param answer gets the request when its body is there, and how many came before */
export async function webServer(answer: (response: ServerResponse, before: number, request: IncomingMessage) => void): Promise<WebServer> {
  const got: string[] = [];
  const open = new Set<Socket>();
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      got.push(body);
      answer(response, got.length - 1, request);
    });
  });
  server.on("connection", (socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    got,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      open.forEach((socket) => socket.destroy());
      await closed;
    },
  };
}
