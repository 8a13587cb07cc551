/** Numbers of repeated measurements. Pure. */

export interface Row {
  /** What was measured, in words. */
  readonly what: string;
  readonly unit: "ms" | "MB/s" | "MiB" | "requests/s" | "requests" | "%";
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly rounds: number;
}

export interface Ratio {
  readonly what: string;
  readonly value: number;
}

/** One measurement's result: rows of one run, and what they are to each other. */
export interface Measured {
  readonly title: string;
  readonly rows: readonly Row[];
  readonly ratios: readonly Ratio[];
}

export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [upper, lower] = [sorted[middle], sorted[sorted.length % 2 === 0 ? middle - 1 : middle]];
  if (upper === undefined || lower === undefined) throw new RangeError("no samples");
  return (upper + lower) / 2;
}

export function row(what: string, unit: Row["unit"], samples: readonly number[]): Row {
  return { what, unit, median: round(median(samples)), min: round(Math.min(...samples)), max: round(Math.max(...samples)), rounds: samples.length };
}

/** Of medians; to two places. */
export function ratio(what: string, a: Row, b: Row): Ratio {
  return { what, value: Math.round((a.median / b.median) * 100) / 100 };
}

/** Three digits that mean something. */
function round(value: number): number {
  return value >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}

/** For a terminal: one line for each row and ratio, columns aligned. */
export function table({ title, rows, ratios }: Measured): string {
  const cells = rows.map(({ what, unit, median: middle, min, max, rounds }) => [what, `${middle} ${unit}`, rounds === 1 ? "" : `${min} to ${max} in ${rounds} rounds`]);
  const lines = [...cells, ...ratios.map(({ what, value }) => [what, `x ${value}`, ""])];
  const widths = [0, 1].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return [title, ...lines.map(([what = "", value = "", note = ""]) => `  ${what.padEnd(widths[0] ?? 0)}  ${value.padStart(widths[1] ?? 0)}  ${note}`.trimEnd())].join("\n");
}
