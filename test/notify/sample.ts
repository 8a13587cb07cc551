import type { NotifyEvent } from "../../components/notify/model.js";

/** A deploy that failed at its gate, but for what is given. */
export function eventOf(over: Partial<NotifyEvent> = {}): NotifyEvent {
  return {
    id: "0123456789abcdef", time: "2026-01-02T03:04:05.000Z", kind: "rolledBack", stack: "prod", command: "deploy", tag: "v3.1.0", from: "v3.0.0", by: "ann on host-1",
    summary: "v3.1.0 did not pass the gate", next: "read logs/app.log", lines: ["Traceback", "ValueError: no"], exitCode: 3, log: "logs/deploy.log", ...over,
  };
}
