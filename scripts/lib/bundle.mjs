/**
 * Makes one file each of the command line and of Pulumi's program, dist/cli.cjs and dist/program.cjs: both load in a third of the
 * time then, and a warm rollback is hardly longer than that.
 */
import { build } from "esbuild";

/** What dockerode would load for Docker over ssh and for BuildKit, neither of which is used here. */
const unused = {
  name: "unused",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(ssh2|@grpc\/grpc-js|@grpc\/proto-loader|protobufjs)$/ }, ({ path, importer }) =>
      (/node_modules\/(dockerode|docker-modem)\//.test(importer) ? { path, namespace: "unused" } : undefined));
    onLoad({ filter: /.*/, namespace: "unused" }, () => ({ contents: "module.exports = {};" }));
  },
};

/** Pulumi writes the text of these functions into its state, where it must stay as the compiler wrote it. */
const serialised = {
  name: "serialised",
  setup({ onResolve }) {
    onResolve({ filter: /\/dynamic\.js$/ }, ({ importer }) =>
      (/dist\/components\//.test(importer) ? { path: "./components/runtime/dynamic.js", external: true } : undefined));
  },
};

await build({
  entryPoints: { cli: "dist/scripts/cli/main.js", program: "dist/index.js" }, outdir: "dist", outExtension: { ".js": ".cjs" },
  bundle: true, platform: "node", target: "node20", format: "cjs", mainFields: ["main"],
  // These find files of their own beside them; what draws receipts is a third of the whole, and is needed when a command is over.
  external: ["pino", "secretlint", "@secretlint/*", "@pulumi/*", "nodemailer", "@observablehq/plot", "linkedom"],
  plugins: [unused, serialised], logLevel: "warning",
});
