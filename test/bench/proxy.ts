import { Agent, request } from "node:http";
import { docker } from "../../components/runtime/docker.js";
import { labels } from "../../components/runtime/labels.js";
import { applyTable, prepareFront } from "../../components/traffic/live.js";
import { ProxyStack } from "../support/proxy-stack.js";
import { TINY_APP } from "../support/tiny-app.js";
import { waitFor } from "../support/wait.js";
import { median, ratio, row, type Measured } from "./stats.js";

const ROUNDS = 5;
/** Requests of one round: one after another for latency, so many side by side for throughput. */
const REQUESTS = 600;
const SIDE_BY_SIDE = 16;
const APP_PORT = 8501;

/** One container, asked through its own published port and through the front door, in turns. */
export async function measureProxy(): Promise<Measured[]> {
  const stack = await ProxyStack.open({ cpus: 2 });
  try {
    await prepareFront(stack.stack, { assertHolds: () => undefined });
    const revision = "v1.0.0-00000001";
    const container = stack.names.appContainer(revision, 1);
    const direct = await startApp(stack, container, revision);
    const serving = { revision, tag: "v1.0.0", containers: [container], port: APP_PORT, healthPath: "/" };
    await applyTable(stack.stack, stack.table({ seq: 1, serving }), { assertHolds: () => undefined });
    const urls = { direct, proxy: stack.url };
    const latency = { direct: [] as number[], proxy: [] as number[] };
    const throughput = { direct: [] as number[], proxy: [] as number[] };
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const way of ["direct", "proxy"] as const) {
        const slow = await ask(urls[way], 1, REQUESTS / 4);
        const fast = await ask(urls[way], SIDE_BY_SIDE, REQUESTS);
        // The first round warms up.
        if (round === 0) continue;
        latency[way].push(median(slow.took));
        throughput[way].push((REQUESTS / fast.totalMs) * 1000);
      }
    }
    const slow = [row("through the proxy", "ms", latency.proxy), row("direct", "ms", latency.direct)] as const;
    const fast = [row("through the proxy", "requests/s", throughput.proxy), row("direct", "requests/s", throughput.direct)] as const;
    return [
      { title: "a small page, one request after another (median latency)", rows: slow, ratios: [ratio("proxy to direct", ...slow)] },
      { title: `a small page, ${SIDE_BY_SIDE} requests side by side`, rows: fast, ratios: [ratio("proxy to direct", ...fast)] },
    ];
  } finally {
    await stack.close();
  }
}

async function startApp(stack: ProxyStack, name: string, revision: string): Promise<string> {
  const container = await docker().createContainer({
    name, Image: "python:3.11-slim", Cmd: ["python3", "-c", TINY_APP], Env: ["NAME=bench", `PORT=${APP_PORT}`],
    Labels: labels({ stack: stack.stack, role: "app", revision }), ExposedPorts: { [`${APP_PORT}/tcp`]: {} },
    HostConfig: { NetworkMode: stack.names.network, Init: true, PortBindings: { [`${APP_PORT}/tcp`]: [{ HostIp: "127.0.0.1", HostPort: "" }] } },
  });
  await container.start();
  const { NetworkSettings } = await container.inspect();
  const url = `http://127.0.0.1:${NetworkSettings.Ports[`${APP_PORT}/tcp`]?.[0]?.HostPort}`;
  await waitFor(`${name} to answer`, async () => (await fetch(url)).ok);
  return url;
}

/** Sends `count` requests over kept connections, `side` at a time. Throws for any that is not answered well. */
async function ask(url: string, side: number, count: number): Promise<{ took: number[]; totalMs: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: side });
  const took: number[] = [];
  let sent = 0;
  const worker = async (): Promise<void> => {
    while (sent < count) {
      sent += 1;
      took.push(await one(url, agent));
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: side }, worker));
  agent.destroy();
  return { took, totalMs: performance.now() - began };
}

function one(url: string, agent: Agent): Promise<number> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent, headers: { Accept: "text/html" } }, (response) => {
      response.resume().on("end", () => (response.statusCode === 200 ? resolve(performance.now() - began) : reject(new Error(`${url} answered ${response.statusCode}`))));
    });
    asked.on("error", reject);
    asked.end();
  });
}
