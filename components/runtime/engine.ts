/** Which engine answers on Docker's socket. What else speaks Docker's API lacks parts of it that a release is proven by. */
import { get } from "node:http";

/** An engine that is not Docker, by the name that it has for people, and what of Docker's API was missed when it was tried. */
export interface OtherEngine {
  name: string;
  lacks: string;
}

/**
 * What Podman 5.8.6 answered on its Docker socket (`podman system service`, API 1.44), each seen there and right on Docker 20.10 and 28.5:
 * `GET /events` had no `oom` for a child that the kernel killed (`OOMKilled` is of the first process alone), `POST /build` left
 * `HEALTHCHECK` out of the image, `GET /images/json` told `docker.io/library/NAME` of what was built as `NAME`, and `GET /containers/ID/json`
 * listed eleven capabilities where `ALL` was dropped.
 */
const PODMAN_LACKS =
  "it sends no oom event, so a process that the kernel kills for want of memory goes unseen; its builds drop an image's HEALTHCHECK; it gives images and dropped capabilities back by other names than it got";

/** @param server header `Server` of the answer to `GET /_ping`: `Docker/28.5.2 (linux)`, `Libpod/5.8.6 (linux)` @returns null for Docker, and for what does not tell. Pure. */
export function otherEngine(server: string): OtherEngine | null {
  const podman = /^Libpod\/(\S+)/.exec(server);
  return podman === null ? null : { name: `Podman ${podman[1] ?? ""}`, lacks: PODMAN_LACKS };
}

/** Asks who it is, which costs the daemon nothing. @param signal ends the connection @returns header `Server`, "" where there is none */
export function ping(socketPath: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ socketPath, path: "/_ping", agent: false, signal }, (answer) => {
      answer.resume();
      const { statusCode = 0, headers } = answer;
      if (statusCode === 200) resolve(String(headers.server ?? ""));
      else reject(new Error(`a ping was answered with HTTP ${statusCode}`));
    });
    request.on("error", reject);
  });
}
