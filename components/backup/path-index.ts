import { hash, randomBytes } from "node:crypto";

/**
 * What each path of an archive is, as a small number, for millions of paths: 18 to 36 bytes for each, whatever its length.
 * A path is known by 64 bits of a keyed hash, so that nobody can choose two that are taken for one.
 */
export class PathIndex {
  private readonly secret = randomBytes(16).toString("latin1");
  private keys = new BigUint64Array(1024);
  private values = new Uint8Array(1024);
  private used = 0;

  /** 0 for a path that was never set. */
  get(path: string): number {
    return this.values[this.slotOf(this.keyOf(path))] ?? 0;
  }

  /** @param value 1 to 255 */
  set(path: string, value: number): void {
    if (this.used * 2 >= this.keys.length) this.grow();
    this.put(this.keyOf(path), value);
  }

  private put(key: bigint, value: number): void {
    const slot = this.slotOf(key);
    if (this.values[slot] === 0) this.used += 1;
    this.keys[slot] = key;
    this.values[slot] = value;
  }

  /** Where the key is, or where it would be. */
  private slotOf(key: bigint): number {
    const mask = this.keys.length - 1;
    let slot = Number(key & BigInt(mask));
    while (this.values[slot] !== 0 && this.keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  }

  private grow(): void {
    const [keys, values] = [this.keys, this.values];
    this.keys = new BigUint64Array(keys.length * 2);
    this.values = new Uint8Array(values.length * 2);
    this.used = 0;
    keys.forEach((key, slot) => {
      const value = values[slot] ?? 0;
      if (value !== 0) this.put(key, value);
    });
  }

  private keyOf(path: string): bigint {
    return hash("sha256", Buffer.from(this.secret + path, "latin1"), "buffer").readBigUInt64LE();
  }
}
