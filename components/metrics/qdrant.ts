/** What a Qdrant tells of itself in Prometheus' text form. */
import axios from "axios";
import { proveQdrant } from "../qdrant/identity.js";
import { containerEnv, inspectOrNull, publishedPort } from "../runtime/docker.js";

const WITHIN_MS = 3000;
const MAX_BYTES = 4 * 1024 * 1024;
/** Names that are kept. */
const MOST = 60;

/** Empty when it is not there, does not run or does not answer: that is the gate's and the watch's affair. */
export async function qdrantNumbers(container: string): Promise<Record<string, number>> {
  const info = await inspectOrNull(container);
  const port = info === null ? null : publishedPort(info, 6333);
  if (info === null || port === null) return {};
  const apiKey = containerEnv(info).QDRANT__SERVICE__API_KEY ?? "";
  try {
    await proveQdrant(info, `http://127.0.0.1:${port}`, apiKey);
    const { data } = await axios.get<string>(`http://127.0.0.1:${port}/metrics`, {
      headers: apiKey === "" ? {} : { "api-key": apiKey }, signal: AbortSignal.timeout(WITHIN_MS), proxy: false, maxRedirects: 0,
      maxContentLength: MAX_BYTES, responseType: "text", transformResponse: (body: unknown) => body,
    });
    return parseMetrics(data);
  } catch {
    return {};
  }
}

const SAMPLE = /^([A-Za-z_:][A-Za-z0-9_:]*)(\{.*\})? ([+-]?[0-9.]+(?:e[+-]?[0-9]+)?)(?: -?[0-9]+)?$/i;

/** Each metric's sum over its labels; the classes of histograms are left out, their sums and counts are not. Pure. */
export function parseMetrics(text: string): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const line of text.split("\n")) {
    const [, name = "", , value = ""] = SAMPLE.exec(line.trim()) ?? [];
    const known = Object.hasOwn(sums, name);
    if (name === "" || name.endsWith("_bucket") || !Number.isFinite(Number(value)) || (!known && Object.keys(sums).length >= MOST)) continue;
    sums[name] = (known ? (sums[name] ?? 0) : 0) + Number(value);
  }
  return sums;
}
