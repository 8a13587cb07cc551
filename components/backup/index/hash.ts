import { createHash, type Hash } from "node:crypto";
import type { StoredPoint } from "../../qdrant/points.js";
import type { Detail } from "./format.js";

/** Characters of base64url that are kept of a SHA-256: 132 bits, enough to tell any two of a collection's points apart. */
const KEPT = 22;

/** A short hash of what a point holds; the same for the same content, in whatever order its keys come. */
export function pointHash(point: StoredPoint, detail: Detail): string {
  if (detail === "ids") return "";
  const hash = createHash("sha256").update(canonical(point.payload ?? {}));
  if (detail === "vectors") addVectors(hash.update("\0"), point.vector);
  return hash.digest("base64url").slice(0, KEPT);
}

/** JSON with the keys of every object sorted. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(",")}}`;
}

/** Numbers as the 32 bits that Qdrant keeps of them: how many digits it prints is no difference. */
function addVectors(hash: Hash, vector: unknown): void {
  if (Array.isArray(vector) && vector.every((number) => typeof number === "number")) {
    hash.update(`[${vector.length}`).update(new Uint8Array(Float32Array.from(vector).buffer));
  } else if (Array.isArray(vector)) {
    hash.update(`[[${vector.length}`);
    vector.forEach((inner) => addVectors(hash, inner));
  } else if (typeof vector === "object" && vector !== null) {
    for (const [name, inner] of Object.entries(vector).sort(([a], [b]) => (a < b ? -1 : 1))) addVectors(hash.update(JSON.stringify(name)), inner);
  } else {
    hash.update(JSON.stringify(vector) ?? "null");
  }
}
