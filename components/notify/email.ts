import { connect, type Socket } from "node:net";
import { createTransport } from "nodemailer";
import { type Channel, Refused } from "./model.js";
import { addressesIn, type NotifySettings } from "./rules.js";
import { plainText, title } from "./words.js";

/** What mail needs: all of it, or there is none. */
export type MailSettings = NotifySettings["email"] & { host: string; from: string; to: string };

/**
 * One for each addressee: a server may take a mail for one and refuse it for another, who is then told of and tried again alone.
 * @param timeoutMs for all of one try
 */
export function emailChannels(mail: MailSettings, timeoutMs: number): Channel[] {
  const all = addressesIn(mail.to);
  return all.map((address) => emailChannel(mail, timeoutMs, address, all.length === 1 ? "email" : `email to ${address}`));
}

function emailChannel({ host, port, security, user, password, from, to }: MailSettings, timeoutMs: number, address: string, name: string): Channel {
  return {
    name,
    send: async (event) => {
      let socket: Socket | undefined;
      const transport = createTransport({
        host, port, secure: security === "tls", requireTLS: security === "starttls", ignoreTLS: security === "none",
        ...(user === undefined || password === undefined ? {} : { auth: { user, pass: password }, forceAuth: true }),
        connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs, dnsTimeout: timeoutMs, disableFileAccess: true, disableUrlAccess: true,
        // Our own: closing a transport (nodemailer 10.6.1) cancels nothing, and what was given up would still arrive.
        getSocket: (_options, done) => {
          socket = connect(port, host);
          const failed = (error: Error): void => done(error);
          socket.once("error", failed);
          socket.once("connect", () => {
            socket?.off("error", failed);
            done(null, { connection: socket });
          });
        },
      });
      // A server may go on for ever without ever being silent so long.
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(), timeoutMs);
      try {
        const sent = transport.sendMail({
          from, to: addressesIn(to), envelope: { from, to: [address] }, subject: `[release] ${title(event)}`, text: plainText(event), date: new Date(event.time),
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
        socket?.destroy();
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
