/** What a program looks at, in the order in which it is told. */
export const CHECKS = ["tag", "changelog", "secrets", "links", "audit", "lint", "types", "tests", "image", "staging", "budget"] as const;

export type CheckName = (typeof CHECKS)[number];
