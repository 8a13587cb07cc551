import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface MuteSocket {
  readonly path: string;
  close(): Promise<void>;
}

/** A socket that takes every connection and never says a word, as a daemon that hangs. */
export async function muteSocket(): Promise<MuteSocket> {
  const dir = mkdtempSync(join(tmpdir(), "mute-"));
  const path = join(dir, "mute.sock");
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket)).on("error", () => undefined).resume();
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
  return {
    path,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      open.forEach((socket) => socket.destroy());
      await closed;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
