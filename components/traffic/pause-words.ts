/**
 * What a pause of users' writes was, in words. Pure.
 *
 * @param tookMs milliseconds
 * @param closed websockets that were closed for it
 * @param refused requests that were refused, as many as the proxy's log has: HAProxy gives up a line of it rather than wait; null: it could not be read
 */
export function pauseInWords(tookMs: number, closed: number, refused: number | null): string {
  const requests = refused === null ? "an unknown number of requests" : refused === 0 ? "no request" : refused === 1 ? "at least 1 request" : `at least ${refused} requests`;
  return `writes were paused for ${tookMs} ms: ${closed} ${closed === 1 ? "websocket" : "websockets"} closed, ${requests} refused`;
}
