import { RUN_VARIABLES } from "../../components/runtime/processes.js";

/** A process apart from this one: not ended with a run's children, nor by a CI runner, which ends what a job leaves. */
const MARKS: readonly string[] = [...RUN_VARIABLES, "RUNNER_TRACKING_ID"];

export function apartEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !MARKS.includes(name)));
}
