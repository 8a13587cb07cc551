/** The forms in which one secret may appear in the output of shells, JSON, URLs, HTML, base64 and hex dumps. */

/** Secrets below this many characters are masked as whole words only: inside of words they would be found by chance. */
export const SHORT = 4;

/** Lines of a secret of several lines are secrets of their own (logs prefix each line) from this many characters on. */
const SHORT_LINE = 8;

/** All forms to look for, without duplicates; none for a secret that is too short. */
export function encodings(secret: string): string[] {
  const forms = plainForms(secret).flatMap((form) => [
    form,
    ...jsonForms(form),
    ...urlForms(form),
    ...htmlForms(form),
    form.replaceAll("'", "'\\''"),
    ...byteForms(form),
  ]);
  return [...new Set(forms)].filter((form) => form.length >= SHORT);
}

/** As it is, without the white space around it, with other line ends, and line by line. */
function plainForms(secret: string): string[] {
  const unix = secret.replaceAll("\r\n", "\n");
  const lines = unix.split("\n").map((line) => line.trim());
  const whole = [secret, unix, unix.replaceAll("\n", "\r\n")];
  const forms = [...whole, ...whole.map((form) => form.trim()), ...(lines.length > 1 ? lines.filter((line) => line.length >= SHORT_LINE) : [])];
  return [...new Set(forms)].filter((form) => form.trim().length >= SHORT);
}

/** JavaScript's, Python's (ASCII only) and Go's (`<`, `>`, `&` escaped); also within a JSON text that is in JSON itself. */
function jsonForms(form: string): string[] {
  const escape = (text: string): string => JSON.stringify(text).slice(1, -1);
  const ascii = (text: string): string => text.replace(/[\u007f-\uffff]/g, unicodeEscape);
  const go = (text: string): string => text.replace(/[<>&\u2028\u2029]/g, unicodeEscape);
  const once = escape(form);
  const variants = [once, ascii(once), go(once), ascii(go(once))];
  return [...variants, ...variants.map(escape), ...variants.map((variant) => go(escape(variant)))];
}

function unicodeEscape(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function urlForms(form: string): string[] {
  // A lone surrogate has no URL form: it becomes the replacement character, as in UTF-8.
  const wellFormed = Buffer.from(form, "utf8").toString("utf8");
  const loose = encodeURIComponent(wellFormed);
  const strict = loose.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const variants = [loose, strict, encodeURI(wellFormed)];
  const spaced = variants.map((variant) => variant.replaceAll("%20", "+"));
  return [...variants, ...spaced].flatMap((variant) => [variant, variant.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())]);
}

function htmlForms(form: string): string[] {
  const base = form.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const quoted = base.replaceAll('"', "&quot;");
  return [base, quoted, quoted.replaceAll("'", "&#39;"), quoted.replaceAll("'", "&#x27;"), base.replaceAll('"', "&#34;").replaceAll("'", "&#39;")];
}

function byteForms(form: string): string[] {
  const bytes = Buffer.from(form, "utf8");
  const hex = bytes.toString("hex");
  const base64 = [0, 1, 2].map((offset) => base64At(bytes, offset));
  return [hex, hex.toUpperCase(), ...base64, ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"))];
}

/**
 * The characters of a base64 text that depend on these bytes alone, when `offset` other bytes (mod 3) stand before them:
 * a secret within a longer encoded text, like the password in `user:password`.
 */
function base64At(bytes: Buffer, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64").replaceAll("=", "");
  const shared = (offset + bytes.length) % 3 === 0 ? 0 : 1;
  return text.slice(offset === 0 ? 0 : offset + 1, text.length - shared);
}

/** A part of a URL without its percent signs; as it is where they are none of a URL's. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
