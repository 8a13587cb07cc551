import assert from "node:assert/strict";
import { loadSettings } from "../../components/settings/load.js";
import type { Settings } from "../../components/settings/schema.js";

export const SAMPLE: Readonly<Record<string, string>> = { "pbjrag:version": "v3.0.0", "pbjrag:source": "../app" };

/** Settings of raw config, which must be free of problems. */
export function settingsOf(config: Record<string, string> = {}, stack = "dev"): Settings {
  const loaded = loadSettings({ stack, config: { ...SAMPLE, ...config } });
  assert.ok("settings" in loaded, JSON.stringify(loaded));
  return loaded.settings;
}
