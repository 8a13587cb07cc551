import { createTransport } from "nodemailer";
import { type Channel, Refused } from "./model.js";
import { addressesIn, type NotifySettings } from "./rules.js";
import { plainText, title } from "./words.js";

/** What mail needs: all of it, or there is none. */
export type MailSettings = NotifySettings["email"] & { host: string; from: string; to: string };

/** @param timeoutMs for all of one try */
export function emailChannel({ host, port, security, user, password, from, to }: MailSettings, timeoutMs: number): Channel {
  return {
    name: "email",
    send: async (event) => {
      const transport = createTransport({
        host, port, secure: security === "tls", requireTLS: security === "starttls", ignoreTLS: security === "none",
        ...(user === undefined || password === undefined ? {} : { auth: { user, pass: password } }),
        connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs, dnsTimeout: timeoutMs, disableFileAccess: true, disableUrlAccess: true,
      });
      // A server may go on for ever without ever being silent so long.
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(), timeoutMs);
      try {
        const sent = transport.sendMail({
          from, to: addressesIn(to), subject: `[release] ${title(event)}`, text: plainText(event), date: new Date(event.time),
          // The same for each try: a mail program that gets it twice knows.
          messageId: `<${event.id}@${from.split("@")[1] ?? "pbjrag"}>`,
        });
        await Promise.race([sent, new Promise<never>((_, reject) => late.signal.addEventListener("abort", () => reject(new Error(`not sent within ${timeoutMs} ms`))))]);
        sent.catch(() => undefined);
      } catch (error) {
        throw isFinal(error) ? new Refused(words(error)) : new Error(words(error));
      } finally {
        clearTimeout(timer);
        transport.close();
      }
    },
  };
}

/** SMTP: answers from 500 on are the server's last word, and so is a refused login. */
function isFinal(error: unknown): boolean {
  const code = error instanceof Error && "responseCode" in error ? Number(error.responseCode) : 0;
  return code >= 500;
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
