/** What a drill found, as JSON and in words. Pure. */
import type { Detail } from "../../../components/backup/index/format.js";

/** One of the two moves. */
export interface DrillMove {
  tag: string;
  generation: string;
  /** Of the command: 0, or why the drill ended with it. */
  exitCode: number;
  /** From the command's start until users were served by the other release and data; null if they never were. */
  recoverySeconds: number | null;
  /** From its start to its end, clean-up and checks included. */
  commandSeconds: number;
  /** What the data was compared with, piece by piece: a backup's list of points and files. "" where there was nothing. */
  comparedWith: string;
  /** What differed, in words; empty when all agreed; null where it could not be compared. */
  different: string[] | null;
  /** Why it could not; "" otherwise. */
  problem: string;
}

export interface DrillReport {
  schema: 1;
  stack: string;
  /** ISO 8601. */
  startedAt: string;
  from: { tag: string; generation: string };
  recoveryPoint: {
    /** The backup that was restored, and its age when the drill began: what was written in that time would be lost. */
    backup: string;
    takenAt: string;
    seconds: number;
    /** What that would have been, in words; null where it could not be counted. */
    missing: string[] | null;
  };
  /** How closely each collection was compared: vectors and payload, payload alone, or only which points there are. */
  compared: Record<string, Detail>;
  back: DrillMove;
  /** Null where the way back failed. */
  forward: DrillMove | null;
  /** All went well, and all data agreed. */
  passed: boolean;
}

/** Whether both moves were made and all data was where it should be. */
export function passed(moves: readonly (DrillMove | null)[]): boolean {
  return moves.every((move) => move !== null && move.exitCode === 0 && move.different?.length === 0);
}

export function reportLines(report: DrillReport): string[] {
  const { stack, startedAt, from, recoveryPoint: point, back, forward } = report;
  return [
    `drill of stack ${stack}, ${startedAt}: ${report.passed ? "PASSED" : "NOT PASSED"}`,
    `from            ${from.tag} on data generation ${from.generation}`,
    `recovery point  ${duration(point.seconds)}: backup ${point.backup} of ${point.takenAt}`,
    ...missingLines(point.missing),
    ...moveLines("back", back),
    ...(forward === null ? ["forward         not tried"] : moveLines("forward", forward)),
    `compared        ${comparedWords(report.compared)}`,
  ];
}

function missingLines(missing: string[] | null): string[] {
  if (missing === null) return ["                what was written since could not be counted"];
  return missing.length === 0 ? ["                nothing was written since"] : missing.map((line) => `                ${line}`);
}

function moveLines(what: string, { tag, generation, exitCode, recoverySeconds, commandSeconds, comparedWith, different, problem }: DrillMove): string[] {
  const served = recoverySeconds === null ? "users were never served by it" : `recovery time ${duration(recoverySeconds)}`;
  const data = different === null ? [`data not compared: ${problem}`] : different.length === 0 ? [`all data agrees with backup ${comparedWith}`] : [`DATA DIFFERS from backup ${comparedWith}:`, ...different.map((line) => `  ${line}`)];
  return [
    `${what.padEnd(15)} ${tag} on data generation ${generation}: exit ${exitCode}, ${served}, the whole command ${duration(commandSeconds)}`,
    ...data.map((line) => `                ${line}`),
  ];
}

function comparedWords(compared: Record<string, Detail>): string {
  const words: Record<Detail, string> = { vectors: "payload and vectors of every point", payload: "the payload of every point", ids: "which points there are" };
  return ["names and contents of all files", ...Object.entries(compared).map(([name, detail]) => `${name}: ${words[detail]}`)].join("; ");
}

/** `12.3 s`, `4 min 5 s`, `3 h 2 min`, `5 d 1 h`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds * 10) / 10} s`;
  const whole = Math.round(seconds);
  const [days, hours, minutes] = [Math.floor(whole / 86_400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60];
  if (whole < 3600) return `${minutes} min ${whole % 60} s`;
  return days === 0 ? `${hours} h ${minutes} min` : `${days} d ${hours} h`;
}
