/** Which suite runs: `quick` is `npm test`, `full` is `npm run test:full`. */
export const suite: "quick" | "full" = process.env.PBJRAG_SUITE === "full" ? "full" : "quick";

/** How often a row is tried: a few times in the quick suite, at its full count in the full one. */
export function rounds(quick: number, full: number): number {
  return suite === "full" ? full : quick;
}

/** Registers tests that belong to the full suite only; the table in test/README.md names them. */
export function fullOnly(register: () => void): void {
  if (suite === "full") register();
}
