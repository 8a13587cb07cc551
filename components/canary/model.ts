/** What the canary's judge is told, and what it gives out. Data only. */
import type { Finding, Result, Thresholds } from "../judge/model.js";
import type { Settings } from "../settings/schema.js";

export interface JudgeInputs {
  stack: string;
  tag: string;
  revision: string;
  /** Docker names of its containers. */
  containers: string[];
  /** What serves. */
  serving: { revision: string; tag: string; containers: string[] };
  /** Percent of new users, step by step. */
  steps: number[];
  /** Milliseconds of each step. */
  durationMs: number;
  onInsufficient: Settings["canary"]["onInsufficient"];
  thresholds: Thresholds;
  /** Synthetic sessions on either release; 0: none. TCP port of the app in its containers, and milliseconds of a handshake or a run of the script. */
  synthetic: { sessions: number; port: number; requestTimeoutMs: number };
  /** Renewed after a run that did not end well, so that a retry judges again. */
  attempt: string;
  /** Names of the app's variables that hold secrets: their values are kept out of all that is written down. */
  secretEnv: string[];
  dataDir: string;
}

/** How a judging ended that did not fail. */
export interface Judged {
  verdict: Exclude<Result, "fail">;
  /** Whether it may be promoted: it passed, or config takes too little evidence for enough. */
  promotes: boolean;
  /** In one sentence. */
  summary: string;
  /** Percent of new users that it has now, and keeps until it is promoted or given up. */
  weight: number;
}

export interface JudgeOuts extends JudgeInputs, Judged {}

/** What the journal has of each look and of the end, as `data`. */
export interface JudgeTold {
  revision: string;
  weight: number;
  verdict: Result;
  findings: Finding[];
}
