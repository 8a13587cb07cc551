import { Agent, request } from "node:http";
import { assetIn, type Answer } from "./classify.js";
import { CookieJar } from "./cookies.js";

const ACCEPT_PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
const BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
/** Larger than any body that is asked for here; more is an error. */
const BODY_LIMIT = 8 * 1024 * 1024;
/** Idle connections are closed by us before a server or proxy does it, which would race with our next request (milliseconds). */
const IDLE_MS = 4000;

export interface Ask {
  readonly method: "GET" | "PUT";
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer;
  /** Milliseconds from now in which the whole answer must be there. */
  readonly withinMs: number;
}

/** One browser: its cookies, its connections, and the static file that the page it last loaded asks for. */
export class User {
  readonly jar = new CookieJar();
  private readonly agent = new Agent({ keepAlive: true, timeout: IDLE_MS });
  asset: string | null = null;

  constructor(readonly name: string, readonly base: string) {}

  /** Loads the app's page as a browser's navigation does. */
  async page(withinMs: number): Promise<Answer> {
    const answer = await this.ask({ method: "GET", path: "/", headers: { Accept: ACCEPT_PAGE, "Upgrade-Insecure-Requests": "1" }, withinMs });
    this.asset = assetIn(answer.body) ?? this.asset;
    return answer;
  }

  /** One request. Rejects on a connection error (never tried again) and when the answer is not complete in time. */
  ask({ method, path, headers = {}, body, withinMs }: Ask): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const cookie = this.jar.header();
      const sent = request(this.base + path, {
        method,
        agent: this.agent,
        headers: {
          Accept: "*/*", "User-Agent": BROWSER, ...headers,
          ...(cookie === null ? {} : { Cookie: cookie }),
          ...(body === undefined ? {} : { "Content-Length": String(body.length) }),
        },
      });
      const timer = setTimeout(() => sent.destroy(new Error("no answer in time")), Math.max(1, withinMs));
      const fail = (error: Error): void => {
        clearTimeout(timer);
        reject(error);
      };
      sent.once("error", fail);
      sent.once("response", (response) => {
        this.jar.take(response.headers["set-cookie"]);
        const parts: Buffer[] = [];
        let size = 0;
        response.on("data", (part: Buffer) => {
          size += part.length;
          if (size > BODY_LIMIT) sent.destroy(new Error(`an answer of more than ${BODY_LIMIT} bytes`));
          else parts.push(part);
        });
        response.once("error", fail);
        response.once("end", () => {
          clearTimeout(timer);
          resolve({ status: response.statusCode ?? 0, contentType: response.headers["content-type"] ?? "", body: Buffer.concat(parts) });
        });
      });
      sent.end(body);
    });
  }

  /** Uploads a file into a Streamlit session of this user, as its frontend does. */
  upload(session: string, file: string, content: Buffer, withinMs: number): Promise<Answer> {
    const boundary = "----load-5f1c7d0e9a3b";
    const body = Buffer.concat([
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${file}"; filename="notes.txt"\r\nContent-Type: text/plain\r\n\r\n`),
      content,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]);
    const headers = { "Content-Type": `multipart/form-data; boundary=${boundary}`, "X-Xsrftoken": this.jar.get("_streamlit_xsrf") ?? "" };
    return this.ask({ method: "PUT", path: `/_stcore/upload_file/${session}/${file}`, headers, body, withinMs });
  }

  /** Closes all connections of this user. */
  leave(): void {
    this.agent.destroy();
  }
}
