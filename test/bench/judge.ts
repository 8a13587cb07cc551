/** How often the canary's judge is wrong: simulated runs of canaries whose truth is known. */
import { LOOKS } from "../../components/judge/looks.js";
import { requestsToPass } from "../../components/judge/needed.js";
import { simulate, THRESHOLDS, type Truth } from "../judge/simulated.js";
import { fromSeed } from "../support/random.js";
import type { Measured, Row } from "./stats.js";

const RUNS = 200;
const WEIGHT = 10;
const SEED = 20_261_128;
const WELL: Truth = { errors: 0, median: 80 };

const CASES: readonly { what: string; canary: Truth; stable: Truth }[] = [
  { what: "A/A, nothing fails", canary: WELL, stable: WELL },
  { what: "A/A, 0.5 % fail on both sides", canary: { ...WELL, errors: 0.005 }, stable: { ...WELL, errors: 0.005 } },
  { what: "A/A, 5 % fail on both sides", canary: { ...WELL, errors: 0.05 }, stable: { ...WELL, errors: 0.05 } },
  { what: "5 % of the canary's requests fail", canary: { ...WELL, errors: 0.05 }, stable: WELL },
  { what: "the canary is twice as slow", canary: { ...WELL, median: 160 }, stable: WELL },
];

/** 200 runs of each, with the requests that the preview states, and with four times as many. */
export function measureJudge(say: (text: string) => void): Promise<Measured[]> {
  const stated = requestsToPass(THRESHOLDS.errors / 100, WEIGHT) ?? 0;
  const measured = [stated, 4 * stated].map((requests): Measured => {
    const rows = CASES.flatMap(({ what, canary, stable }): Row[] => {
      say(`${what}, ${requests} requests to the canary, ${RUNS} runs`);
      const random = fromSeed(SEED);
      const verdicts = Array.from({ length: RUNS }, () => simulate({ canary, stable, requests, weight: WEIGHT, looks: LOOKS }, random).verdict);
      const share = (verdict: string): Row => {
        const value = (100 * verdicts.filter((one) => one === verdict).length) / RUNS;
        return { what: `${what}: ${verdict}`, unit: "%", median: value, min: value, max: value, rounds: 1 };
      };
      return [share("fail"), share("pass")];
    });
    return { title: `The judge in ${RUNS} runs each, ${WEIGHT} % of the users, ${requests} requests to the canary, ${LOOKS} looks`, rows, ratios: [] };
  });
  return Promise.resolve(measured);
}
