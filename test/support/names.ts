import { randomBytes } from "node:crypto";
import { createServer, type AddressInfo } from "node:net";

/** A stack name of the test's own: `t-<what>-<6 hex>`. Everything Docker keeps for it is labelled with it and removed by the test. */
export function stackName(what: string): string {
  return `t-${what.slice(0, 16)}-${randomBytes(3).toString("hex")}`;
}

/** A port of 127.0.0.1 that nothing listens on. It is free when this returns; use it at once. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
