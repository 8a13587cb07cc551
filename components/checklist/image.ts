/** Known holes in the image that was tried on staging, by a scanner that is installed here. */
import { type Answer, fail, pass, unknown } from "./model.js";
import { type Ended, runCommand } from "./run-command.js";

interface Scanner {
  argv: (image: string) => [string, ...string[]];
  /** The exit code that means "holes found", apart from all other failures. */
  holes: number;
}

const SCANNERS: readonly Scanner[] = [
  { argv: (image) => ["trivy", "image", "--quiet", "--scanners", "vuln", "--severity", "HIGH,CRITICAL", "--ignore-unfixed", "--exit-code", "10", image], holes: 10 },
  { argv: (image) => ["grype", "--quiet", "--fail-on", "high", "--only-fixed", image], holes: 2 },
];

/** @param image its name here; null: no image of the tag is here */
export async function checkImage(image: string | null, deadlineMs: number, run: (argv: [string, ...string[]]) => Promise<Ended> = (argv) => runCommand(argv, "/", deadlineMs)): Promise<Answer> {
  if (image === null) return unknown("no image of this tag is known on this machine: staging has not made one here");
  for (const { argv, holes } of SCANNERS) {
    const command = argv(image);
    const { exitCode, lines, why } = await run(command);
    if (why === "ENOENT") continue;
    if (exitCode === 0) return pass(`${command[0]} knows of nothing grave in ${image} that could be mended`);
    return exitCode === holes ? fail(`${command[0]} knows of grave holes in ${image}`, lines) : unknown(`${command[0]} could not look at ${image}: ${why || `exit code ${exitCode}`}`, lines);
  }
  return unknown("no scanner is here (trivy, grype)");
}
