/** How often a canary is looked at, and what is left of the false alarms for each look. Light: config is checked with it. Pure. */

/** Looks of one step: a canary may fail at each, and pass at the last. */
export const LOOKS = 5;
/** Of declaring a canary worse that is not: over all tests and looks. */
export const FALSE_ALARMS = 0.05;
/** Tests at each look in which chance has a part: of users' requests, and of synthetic sessions. */
const TESTS_OF_CHANCE = 6;
const SYNTHETIC_TESTS = 4;

/** Of a false alarm: what is left for one test at one of so many looks. */
export function alphaOf(looks: number, synthetic: boolean): number {
  return FALSE_ALARMS / looks / (TESTS_OF_CHANCE + (synthetic ? SYNTHETIC_TESTS : 0));
}
