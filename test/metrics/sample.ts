/** A line of the proxy's log, as config/general.ts has HAProxy write it. */
export function logLine(parts: Partial<Record<"client" | "backend" | "server" | "kind" | "method" | "end", string> & Record<"status" | "queue" | "connect" | "answer" | "total", number>>): string {
  const all = { client: "00000000000000aa", backend: "app_v1.0.0-aaaaaaaa", server: "r1", kind: "page", method: "GET", status: 200, queue: 0, connect: 0, answer: 20, total: 21, end: "--", ...parts };
  return `{"time":1767268800.123,"client":"${all.client}","backend":"${all.backend}","server":"${all.server}","kind":"${all.kind}","method":"${all.method}","status":${all.status},` +
    `"queue":${all.queue},"connect":${all.connect},"answer":${all.answer},"total":${all.total},"bytes":512,"end":"${all.end}","retries":"0"}`;
}
