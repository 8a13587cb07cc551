/** What must hold by requests and by clients alike, so that no client's behaviour is taken for a release's. Pure. */
import { clientsOver, isWorseByClients, pOfClients, SEVERAL, WORSE } from "./clients.js";
import { type Draft, failures } from "./drafts.js";
import type { Side, Thresholds } from "./model.js";
import { rank } from "./ranks.js";
import { type Count, difference } from "./rates.js";

/** Failed requests of users. Those of one client alone keep a canary that is well for all others from nothing. */
export function errors(canary: Side, stable: Side, margin: { allowed: number; alpha: number }): Draft {
  const [a, b]: [Count, Count] = [{ failed: canary.errors, of: canary.requests }, { failed: stable.errors, of: stable.requests }];
  const { worst } = canary.clients;
  const others = { failed: a.failed - worst.failed, of: a.of - worst.of };
  const draft = agreed(failures("errors", "requests", a, b, margin), { failed: canary.clients.failed, of: canary.clients.all }, { failed: stable.clients.failed, of: stable.clients.all });
  const byClients = isWorseByClients(canary, stable, margin.allowed);
  const well = draft.well === true || (others.of > 0 && b.of > 0 && worst.failed > 0 && difference(others, b)[1] <= margin.allowed);
  return { ...draft, well: well && !byClients, what: worst.failed > 0 && others.failed === 0 ? `${draft.what} (all of them one client's)` : draft.what };
}

/** Chance must explain neither what requests met nor what clients met. */
export function agreed(draft: Draft, canary: Count, stable: Count): Draft {
  return { ...draft, p: Math.max(draft.p ?? 1, pOfClients(canary, stable)), what: draft.beyond ? `${draft.what}, met by ${canary.failed} of ${canary.of} clients` : draft.what };
}

/** The same of times: each client's pages by their median. */
export function agreedTimes(draft: Draft, { clients: canary }: Side, { clients: stable }: Side, { slower: share, slack }: Thresholds): Draft {
  const ranked = rank(canary.medians, stable.medians, (ms) => Math.min(ms / (1 + share / 100), ms - slack));
  const p = ranked?.longer ?? 1;
  return { ...draft, p: draft.p === null ? null : Math.max(draft.p, p), well: draft.well === true && ranked !== null && p > WORSE };
}

/** One client that asks for what takes long is no release that is slow. */
export function severalOver(draft: Draft, { clients }: Side, limit: number): Draft {
  return { ...draft, beyond: draft.beyond && clientsOver(clients.slowest, limit) >= SEVERAL };
}
