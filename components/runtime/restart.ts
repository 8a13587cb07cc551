/**
 * Docker's restart policy of every container that serves. Not `unless-stopped`: a daemon that was killed stops at its next start
 * what it still finds running, takes that for an operator's wish, and would leave the whole service down.
 */
export const RESTART = "always";
