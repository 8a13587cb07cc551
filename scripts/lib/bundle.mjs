/**
 * Makes one file each of the command line, of Pulumi's program, and of the provider of our dynamic resources, dist/cli.cjs, dist/program.cjs
 * and dist/provider.cjs: they load in a third of the time then, and a warm rollback is hardly longer than that.
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

await build({
  entryPoints: { cli: "dist/scripts/cli/main.js", program: "dist/index.js", provider: "dist/components/runtime/provider.js" }, outdir: "dist", outExtension: { ".js": ".cjs" },
  bundle: true, platform: "node", target: "node20", format: "cjs", mainFields: ["main"],
  // These find files of their own beside them; what draws receipts is a third of the whole, and is needed when a command is over.
  external: ["pino", "secretlint", "@secretlint/*", "@pulumi/*", "nodemailer", "@observablehq/plot", "linkedom"],
  plugins: [unused], logLevel: "warning",
});
