import axios from "axios";
import { messageOf } from "../runtime/errors.js";
import { type Channel, Refused } from "./model.js";
import { slackMessage } from "./words.js";

/** What the other side says is of no more interest than this. Bytes. */
const ANSWER = 64 * 1024;
/** Answers after which the same message may well be taken: the server's own faults, and "not so fast". */
const isPassing = (status: number): boolean => status >= 500 || status === 429 || status === 408;

/** The variable that names a proxy on the way, as axios (1.21.1) reads it; null: none does. Pure. */
function proxyOf(url: string, env: NodeJS.ProcessEnv): string | null {
  const names = [`${new URL(url).protocol.slice(0, -1)}_proxy`, "all_proxy"].flatMap((name) => [name, name.toUpperCase()]);
  return names.find((name) => (env[name] ?? "") !== "") ?? null;
}

/** @param timeoutMs for all of one try, also where the answer comes drop by drop */
export function slackChannel(webhook: string, timeoutMs: number): Channel {
  return {
    name: "slack",
    send: async (event) => {
      const { status } = await axios
        .post(webhook, slackMessage(event), {
          signal: AbortSignal.timeout(timeoutMs), timeout: timeoutMs, maxRedirects: 0, maxContentLength: ANSWER, responseType: "text", validateStatus: () => true,
        })
        .catch((error: unknown) => {
          throw new Error(axios.isCancel(error) ? `no answer within ${timeoutMs} ms` : messageOf(error));
        });
      if (status >= 200 && status < 300) return;
      const proxy = status === 407 ? proxyOf(webhook, process.env) : null;
      const reason = proxy === null ? `the webhook answered ${status}` : `the proxy that ${proxy} names answered 407: it wants a login, or another one, in its address`;
      throw isPassing(status) ? new Error(reason) : new Refused(reason);
    },
  };
}
