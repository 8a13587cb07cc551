import { Session } from "../load/session.js";

/** The release that a user sees who opens the app now (the page's words `Release: vX`), through the whole of page, websocket and script. */
export async function shownRelease(url: string): Promise<{ marker: string | null; revision: string | null }> {
  let marker: string | null = null;
  const session = new Session(0, url, {
    marker: (seen) => { marker = seen; },
    rerun: () => undefined,
    cut: () => undefined,
  });
  try {
    await session.loadPage();
    await session.connect();
    return { marker, revision: session.user.jar.release() };
  } finally {
    session.close();
    session.user.leave();
  }
}
