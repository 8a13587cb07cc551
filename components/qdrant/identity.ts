/**
 * Whether what answers at an address of this machine is the Qdrant of a container. Docker may run elsewhere, its socket forwarded to here
 * (`ssh -L`): then a port that it tells is a port there, and whatever listens on the same one here is another stack's.
 */
import axios from "axios";
import { execIn, runsHere } from "../runtime/docker-exec.js";
import { EXIT, messageOf, ReleaseError } from "../runtime/errors.js";

/** What is used of Docker's inspection. */
export interface Identified {
  Id: string;
  State: { Pid: number };
}

/** Who answers: inside the container, and at the address. The same words for the same process alone. */
export interface Askers {
  runsHere(info: Identified): boolean;
  inside(info: Identified, apiKey: string): Promise<string>;
  outside(baseUrl: string, apiKey: string): Promise<string>;
}

/** Milliseconds. */
const ASK_MS = 10_000;

// Qdrant's image has bash and no client. The key comes on standard input: arguments are for all to see.
const ASK = `IFS= read -r key; exec 3<>/dev/tcp/127.0.0.1/6333 || exit 69
printf 'GET /telemetry HTTP/1.0\\r\\nHost: localhost\\r\\n%s\\r\\n' "\${key:+api-key: $key$'\\r\\n'}" >&3; cat <&3`;

const REAL: Askers = {
  runsHere: (info) => runsHere(info.State.Pid, info.Id),
  inside: async (info, apiKey) => {
    const { stdout } = await execIn(info.Id, ["bash", "-c", ASK], { timeoutMs: ASK_MS, stdin: `${apiKey}\n` });
    return idIn(stdout.slice(stdout.indexOf("\r\n\r\n") + 4));
  },
  outside: async (baseUrl, apiKey) => {
    const { data } = await axios.get<string>(`${baseUrl}/telemetry`, {
      headers: apiKey === "" ? {} : { "api-key": apiKey }, signal: AbortSignal.timeout(ASK_MS), proxy: false, maxRedirects: 0, responseType: "text", transformResponse: (body: unknown) => body,
    });
    return idIn(data);
  },
};

/** `result.id` of `GET /telemetry`: a UUID that each process of Qdrant makes when it starts (read in 1.18's source). "" without one. Pure. */
export function idIn(body: string): string {
  try {
    const { result } = JSON.parse(body) as { result?: { id?: unknown } };
    return typeof result?.id === "string" ? result.id : "";
  } catch {
    return "";
  }
}

/** Proven once for each address of each start of a container, as long as this process lives. */
const proven = new Set<string>();

/**
 * On Docker's own machine nothing is asked: the container's process is one of this host's.
 * @throws ReleaseError `elsewhere`
 */
export async function proveQdrant(info: Identified, baseUrl: string, apiKey: string, askers: Askers = REAL): Promise<void> {
  const key = `${info.Id} ${info.State.Pid} ${baseUrl}`;
  if (proven.has(key) || askers.runsHere(info)) return;
  const [inside, outside] = await Promise.allSettled([askers.inside(info, apiKey), askers.outside(baseUrl, apiKey)]);
  const [own, met] = [inside, outside].map((one) => (one.status === "fulfilled" ? one.value : ""));
  if (own !== undefined && own !== "" && own === met) {
    proven.add(key);
    return;
  }
  const failed = [inside, outside].find((one) => one.status === "rejected");
  throw new ReleaseError({
    code: "elsewhere", exitCode: EXIT.refused,
    what: `What answers on ${baseUrl} is not shown to be the Qdrant of container ${info.Id.slice(0, 12)}, so nothing was read or written`,
    why: `the container does not run on this machine${failed === undefined ? " and the two tell different identities" : ` (${messageOf(failed.reason)})`}: Docker's socket leads to another one`,
    next: "run the command on the machine that Docker runs on",
  });
}
