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

const TYPE = /^# TYPE ([A-Za-z_:][A-Za-z0-9_:]*) ([a-z]+)$/;

/**
 * Each metric's sum over its labels, by a name that says what it is: counters, and they alone, end in `_total`, which Qdrant's gauges do as
 * well (`collections_total`, seen in 1.19.0). Of a histogram its sum and its count are kept, as counters. Pure.
 */
export function parseMetrics(text: string): Record<string, number> {
  const sums: Record<string, number> = {};
  const types = new Map<string, string>();
  for (const line of text.split("\n").map((one) => one.trim())) {
    const [, typed, type = ""] = TYPE.exec(line) ?? [];
    if (typed !== undefined) types.set(typed, type);
    const [, told = "", , value = ""] = SAMPLE.exec(line) ?? [];
    if (told === "" || told.endsWith("_bucket") || !Number.isFinite(Number(value))) continue;
    const name = nameOf(told, types);
    const known = Object.hasOwn(sums, name);
    if (!known && Object.keys(sums).length >= MOST) continue;
    sums[name] = (known ? (sums[name] ?? 0) : 0) + Number(value);
  }
  return sums;
}

/** Of a sample, as it is kept. What has no type counts as what its name says. */
function nameOf(told: string, types: ReadonlyMap<string, string>): string {
  const [, histogram = "", part = ""] = /^(.+)_(sum|count)$/.exec(told) ?? [];
  if (["histogram", "summary"].includes(types.get(histogram) ?? "")) return part === "sum" ? `${histogram}_total` : `${histogram}_observations_total`;
  const isCounter = types.has(told) ? types.get(told) === "counter" : told.endsWith("_total");
  const bare = told.replace(/_total$/, "");
  return isCounter ? `${bare}_total` : bare.replace(/_(sum|count)$/, "_$1s");
}
