import type { Channel } from "./model.js";
import type { NotifySettings } from "./rules.js";

/** Whether anybody is told anything at all. */
export function isTold({ slackWebhook, email, command }: NotifySettings): boolean {
  return slackWebhook !== undefined || email.host !== undefined || command !== undefined;
}

/** The channels that config names. What each needs is loaded for it alone. @param cwd where a command is run */
export async function channelsOf({ slackWebhook, email, command, timeout }: NotifySettings, cwd: string): Promise<Channel[]> {
  const channels: Channel[] = [];
  if (slackWebhook !== undefined) channels.push((await import("./slack.js")).slackChannel(slackWebhook, timeout));
  const { host, from, to } = email;
  if (host !== undefined && from !== undefined && to !== undefined) channels.push(...(await import("./email.js")).emailChannels({ ...email, host, from, to }, timeout));
  if (command !== undefined) channels.push((await import("./hook.js")).commandChannel(command, timeout, cwd));
  return channels;
}
