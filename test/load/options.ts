import { Command, InvalidArgumentError } from "commander";

/** Upper limits, so that a forgotten run ends by itself and never becomes more than a test's load. */
export const LIMITS = { rate: 300, sessions: 60, seconds: 3600 } as const;

export interface LoadOptions {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string;
  /** Requests per second. */
  readonly rate: number;
  /** Streamlit sessions kept open. */
  readonly sessions: number;
  /** How many of the sessions reload their page now and then, as people do. */
  readonly reloading: number;
  /** Length of the run in seconds; a signal may end it earlier. */
  readonly seconds: number;
  /** Where the result's JSON goes. */
  readonly out: string;
  /** Send no script health checks (for apps that have none). */
  readonly scriptHealth: boolean;
}

/** Parses the command line. Throws a CommanderError (exit code 2 by the caller) for what it refuses. */
export function parseOptions(argv: readonly string[]): LoadOptions {
  const command = new Command("load")
    .description("Sends a fixed rate of requests and keeps Streamlit sessions open, and counts what failed.")
    .requiredOption("--url <url>", "where the app is served: http://127.0.0.1:<port>", loopbackUrl)
    .option("--rate <n>", "requests per second", whole(1, LIMITS.rate), 100)
    .option("--sessions <n>", "Streamlit sessions", whole(0, LIMITS.sessions), 20)
    .option("--reloading <n>", "how many of the sessions reload their page every 10 s", whole(0, LIMITS.sessions), 2)
    .option("--seconds <n>", "length of the run", whole(1, LIMITS.seconds))
    .option("--until-signal", `run until SIGTERM or SIGINT (${LIMITS.seconds} s at most)`, false)
    .option("--no-script-health", "leave the script health check out")
    .requiredOption("--out <file>", "file for the result")
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  command.parse([...argv], { from: "user" });
  const given = command.opts<Omit<LoadOptions, "seconds"> & { seconds?: number; untilSignal: boolean }>();
  if (given.untilSignal === (given.seconds !== undefined)) {
    command.error("give either --seconds <n> or --until-signal");
  }
  return {
    url: given.url, rate: given.rate, sessions: given.sessions, reloading: Math.min(given.reloading, given.sessions),
    seconds: given.seconds ?? LIMITS.seconds, out: given.out, scriptHealth: given.scriptHealth,
  };
}

function loopbackUrl(text: string): string {
  if (!/^http:\/\/127\.0\.0\.1:[0-9]{1,5}\/?$/.test(text)) {
    throw new InvalidArgumentError("the load goes to http://127.0.0.1:<port> only.");
  }
  return text.replace(/\/$/, "");
}

function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new InvalidArgumentError(`a whole number from ${least} to ${most} is wanted.`);
    }
    return value;
  };
}
