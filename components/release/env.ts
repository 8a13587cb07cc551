/** The environment that the program gives an app container, beside what the operator sets. Pure. */
import type { RecordedSettings } from "../settings/schema.js";

/** Complete but for secrets, sorted by key. All names but the operator's are in RESERVED_ENV (settings/rules.ts). */
export function appEnv({ app }: Pick<RecordedSettings, "app">, qdrantHost: string): Record<string, string> {
  const streamlit = {
    STREAMLIT_SERVER_PORT: String(app.port),
    STREAMLIT_SERVER_ADDRESS: "0.0.0.0",
    STREAMLIT_SERVER_HEADLESS: "true",
    // Without it the path that runs the script answers 404.
    ...(app.health.script === "" ? {} : { STREAMLIT_SERVER_SCRIPT_HEALTH_CHECK_ENABLED: "true" }),
  };
  const all = { ...app.env, QDRANT_HOST: qdrantHost, QDRANT_PORT: "6333", ...streamlit };
  return Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
}
