import assert from "node:assert/strict";

/**
 * What was refused while writes were paused was counted: by the proxy's log, of which HAProxy drops lines rather than wait for whoever
 * reads them, when hundreds come in a second and the machine is busy. Five or one in twenty may be missing, and none is invented.
 */
export function assertCounted(counted: number, refused: number): void {
  assert.ok(counted > 0 && counted <= refused && refused - counted <= Math.max(5, 0.05 * refused), `${counted} counted of ${refused} refused`);
}
