import { randomInt } from "node:crypto";

/** A generator whose whole sequence follows from its seed, so that a failing run can be repeated. */
export interface Random {
  readonly seed: number;
  /** From `least` to `most`, both included. */
  int(least: number, most: number): number;
  pick<T>(list: readonly T[]): T;
  bytes(length: number): Buffer;
  shuffled<T>(list: readonly T[]): T[];
}

/** Without a seed it takes PBJRAG_SEED, else a new one; the seed is printed, with how to repeat the run. */
export function seeded(what: string, seed?: number): Random {
  const chosen = seed ?? (process.env.PBJRAG_SEED === undefined ? randomInt(2 ** 31) : Number(process.env.PBJRAG_SEED));
  process.stdout.write(`    ${what}: seed ${chosen} (PBJRAG_SEED=${chosen} repeats it)\n`);
  return fromSeed(chosen);
}

/** The same without a word, for uses whose seed is printed elsewhere. */
export function fromSeed(seed: number): Random {
  let state = seed >>> 0;
  // mulberry32: small, and good enough to choose moments and bytes with.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  return {
    seed,
    int,
    pick: <T>(list: readonly T[]): T => {
      const [chosen] = list.slice(int(0, list.length - 1));
      if (chosen === undefined) throw new RangeError("pick from an empty list");
      return chosen;
    },
    bytes: (length) => Buffer.from(Array.from({ length }, () => int(0, 255))),
    shuffled: (list) => list.map((item) => ({ item, key: next() })).sort((a, b) => a.key - b.key).map(({ item }) => item),
  };
}
