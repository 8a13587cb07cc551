/** One user's cookies, kept as a browser keeps them for a single site (names, deletion, expiry by Max-Age or Expires at 0). */
export class CookieJar {
  private readonly values = new Map<string, string>();

  /** Takes over the `Set-Cookie` lines of an answer. */
  take(lines: readonly string[] | undefined): void {
    for (const line of lines ?? []) {
      const [pair = "", ...attributes] = line.split(";");
      const cut = pair.indexOf("=");
      if (cut <= 0) continue;
      const name = pair.slice(0, cut).trim();
      if (attributes.some(isDeletion)) this.values.delete(name);
      else this.values.set(name, pair.slice(cut + 1).trim());
    }
  }

  get(name: string): string | null {
    return this.values.get(name) ?? null;
  }

  /** The `Cookie` header, or null where there is none to send. */
  header(): string | null {
    if (this.values.size === 0) return null;
    return [...this.values].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  /** The revision that the proxy has bound this user to (its cookie's value before `~`), or null. */
  release(): string | null {
    return this.values.get("pbjrag_release")?.replace(/^"|"$/g, "").split("~")[0] ?? null;
  }
}

function isDeletion(attribute: string): boolean {
  const [name = "", value = ""] = attribute.trim().split("=");
  if (name.toLowerCase() === "max-age") return Number(value) <= 0;
  return name.toLowerCase() === "expires" && Date.parse(value) <= 0;
}
