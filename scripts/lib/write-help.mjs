// Writes docs/commands from the command line itself; a test holds the two together. `npm run docs` runs it.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import helps from "../../dist/scripts/cli/help-texts.js";
import cli from "../../dist/scripts/cli/program.js";

const directory = path.join(path.dirname(fileURLToPath(import.meta.url)), "../../docs/commands");
rmSync(directory, { recursive: true, force: true });
mkdirSync(directory);
for (const { name, text } of helps.helpTexts(cli.program())) writeFileSync(path.join(directory, `${name}.txt`), text);
