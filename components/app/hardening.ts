/** What an app's containers may not do, as the Docker provider takes it. Pure. */
import type { RecordedSettings } from "../settings/schema.js";

export type Hardening = RecordedSettings["app"]["hardening"];

/** What releases ran with before it could be configured: whatever is recorded without it stays as it is. */
export const FORMER_HARDENING: Hardening = { noNewPrivileges: true, dropCapabilities: false, readOnlyRoot: false, writable: [], writableSize: 64 * 1024 * 1024 };

export interface HardeningArgs {
  securityOpts?: string[];
  capabilities?: { drops: string[] };
  readOnly?: true;
  /** Path -> mount options. */
  tmpfs?: Record<string, string>;
}

/** What is not asked for is left out: Docker's own way of it is then not declared either. */
export function hardeningArgs({ noNewPrivileges, dropCapabilities, readOnlyRoot, writable, writableSize }: Hardening): HardeningArgs {
  return {
    ...(noNewPrivileges ? { securityOpts: ["no-new-privileges:true"] } : {}),
    ...(dropCapabilities ? { capabilities: { drops: ["ALL"] } } : {}),
    ...(readOnlyRoot ? { readOnly: true } : {}),
    // 1777 is what Docker gives it where no image has the directory: whoever the app runs as can write.
    ...(readOnlyRoot && writable.length > 0 ? { tmpfs: Object.fromEntries([...writable].sort().map((path) => [path, `rw,noexec,nosuid,nodev,mode=1777,size=${writableSize}`])) } : {}),
  };
}
