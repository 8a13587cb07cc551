/** Exit codes of the real command that scripts may look at. */
export const EXIT = { error: 1, usage: 2, noStack: 6, changes: 7, cancelled: 8 } as const;

/** An error for the operator: its message is all that is shown. */
export class CommandError extends Error {
  constructor(
    message: string,
    readonly exitCode: number = EXIT.error,
  ) {
    super(message);
    this.name = "CommandError";
  }
}

/** Ends the command with a message for the operator. */
export function fail(message: string, exitCode?: number): never {
  throw new CommandError(message, exitCode);
}

/** Refuses something that the stand-in does not do, by its name. */
export function refuse(what: string): never {
  throw new CommandError(`the offline stand-in for pulumi does not support ${what}`, EXIT.usage);
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
