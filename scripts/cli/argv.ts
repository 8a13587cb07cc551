/** Commands that are groups of others. */
const GROUPS = ["backups"];

/**
 * Arguments in the order in which they are parsed: `backups --stack prod list` is `backups list --stack prod`. Pure.
 *
 * @param args without node and the script
 */
export function ordered(args: readonly string[]): string[] {
  const [group = "", ...rest] = args;
  if (!GROUPS.includes(group)) return [...args];
  const leading: string[] = [];
  while (rest[0]?.startsWith("--stack") === true) leading.push(...rest.splice(0, rest[0] === "--stack" ? 2 : 1));
  const [command, ...others] = rest;
  return command === undefined || command.startsWith("-") ? [...args] : [group, command, ...leading, ...others];
}
