/**
 * Makes one file each of the command line, of Pulumi's program, of the provider of our dynamic resources, and of a backup's and a restore's
 * process, dist/NAME.code.cjs, with what V8 compiles of it at its start, dist/NAME.cache: they start in a fraction of the time then, and a
 * release starts a score of them. The last two are loaded by their main.js, the others by dist/NAME.cjs.
 */
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

/** What dockerode would load for Docker over ssh and for BuildKit, and zod's words in other languages, are not used here and left out. */
const otherwise = {
  name: "otherwise",
  setup({ onResolve, onLoad }) {
    const none = ({ path }) => ({ path, namespace: "unused" });
    onResolve({ filter: /^(ssh2|@grpc\/grpc-js|@grpc\/proto-loader|protobufjs)$/ }, (asked) => (/node_modules\/(dockerode|docker-modem)\//.test(asked.importer) ? none(asked) : undefined));
    onResolve({ filter: /^\.\.\/locales\/index\.c?js$/ }, (asked) => (/node_modules\/zod\//.test(asked.importer) ? none(asked) : undefined));
    // See there why it stays a file of its own.
    onResolve({ filter: /^\.\/libraries\.js$/ }, () => ({ path: "./components/receipt/page/libraries.js", external: true }));
    onLoad({ filter: /.*/, namespace: "unused" }, () => ({ contents: "module.exports = {};" }));
  },
};

/** Each with its entry, and what is run for its cache: as much of its start as can be without touching anything. */
const programs = {
  cli: { entry: "dist/scripts/cli/main.js", run: ["dist/cli.cjs", "deploy", "--stack", "!"] },
  // Pulumi's SDK sets this flag before it runs a program, and V8 takes a cache of other flags for a stranger's.
  program: { entry: "dist/index.js", run: ["--allow-natives-syntax", "-e", 'require("./dist/program.cjs")'] },
  provider: { entry: "dist/components/runtime/provider.js", run: ["-e", 'require("./dist/provider.cjs").loadAll()'] },
  backup: { entry: "dist/components/backup/task.js", run: ["dist/components/backup/main.js"] },
  restore: { entry: "dist/components/restore/task.js", run: ["dist/components/restore/main.js"] },
};

// What is of another text must never be found beside a new one: V8 compares their lengths alone.
for (const name of Object.keys(programs)) rmSync(`dist/${name}.cache`, { force: true });

await build({
  entryPoints: Object.fromEntries(Object.entries(programs).map(([name, { entry }]) => [`${name}.code`, entry])),
  outdir: "dist", outExtension: { ".js": ".cjs" },
  bundle: true, platform: "node", target: "node20", format: "cjs", mainFields: ["main"],
  // These find files of their own beside them.
  external: ["secretlint", "@secretlint/*", "@pulumi/*", "nodemailer"],
  plugins: [otherwise], logLevel: "warning",
});

for (const name of ["cli", "program", "provider"]) {
  writeFileSync(`dist/${name}.cjs`, `module.exports = require("./components/runtime/code-cache.js").load(__dirname, "${name}");\n`);
}
for (const [name, { run }] of Object.entries(programs)) makeCache(name, run);

/** Most of these end with the exit code of a refusal. Without a cache the program works as well. */
function makeCache(name, run) {
  try {
    execFileSync(process.execPath, run, { env: { PATH: process.env.PATH, PBJRAG_MAKE_CODE_CACHE: name }, stdio: "ignore", timeout: 30_000 });
  } catch (error) {
    if (error.code === "ETIMEDOUT") console.warn(`bundle: no compiled code of ${name}: it did not end`);
  }
}
