import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";

export interface MailServer {
  readonly port: number;
  /** Whole messages that were taken, oldest first. */
  readonly got: string[];
  /** Users and passwords that were given. */
  readonly logins: string[];
  close(): Promise<void>;
}

/** A real SMTP server of this process, on a free port where none is given. Without TLS. */
export async function mailServer(options: SMTPServerOptions = {}, port = 0): Promise<MailServer> {
  const got: string[] = [];
  const logins: string[] = [];
  const server = new SMTPServer({
    disabledCommands: ["STARTTLS"],
    authOptional: true,
    allowInsecureAuth: true,
    logger: false,
    onAuth: ({ username, password }, _session, done) => {
      logins.push(`${username ?? ""}:${password ?? ""}`);
      done(null, { user: username });
    },
    onData: (stream, _session, done) => void text(stream).then((message) => {
      got.push(message);
      done();
    }),
    closeTimeout: 100,
    ...options,
  });
  // A client that hangs up in the middle is what some tests are about.
  server.on("error", () => undefined);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    got,
    logins,
    close: () => new Promise<void>((resolve) => server.close(resolve)),
  };
}
