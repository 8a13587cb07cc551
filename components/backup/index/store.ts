import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGunzip, createGzip, type Gzip } from "node:zlib";
import { openRegular } from "../../runtime/regular-file.js";
import { writeDurable, writePlain } from "../files.js";
import type { FileRecord } from "../manifest.js";
import { FILES } from "../names.js";
import { type Entry, FIRST_LINE, IndexError, parseEntry, renderEntry } from "./format.js";

/** Characters gathered before they are compressed. */
const PIECE = 64 * 1024;

/**
 * A part of the index while it is written: a gzip file of its own, so that it can be thrown away and begun again. Parts
 * one after another are the index, as gzip files one after another are one.
 */
export class IndexPart {
  private readonly gzip: Gzip = createGzip({ level: constants.Z_BEST_SPEED });
  private readonly written: Promise<void>;
  private text = "";

  constructor(readonly file: string) {
    this.written = writePlain(file, this.gzip);
    // Told by whatever is awaited next.
    this.written.catch((error: unknown) => this.gzip.destroy(error instanceof Error ? error : undefined));
    this.gzip.on("error", () => undefined);
  }

  /** @returns a promise to wait for before more is added, where the disk does not keep up */
  add(entry: Entry): Promise<void> | undefined {
    return this.line(renderEntry(entry));
  }

  line(line: string): Promise<void> | undefined {
    this.text += `${line}\n`;
    return this.text.length < PIECE ? undefined : this.flush();
  }

  /** Everything is in the file afterwards, which is not synced: it goes into the index, which is. */
  async end(): Promise<void> {
    await this.flush();
    this.gzip.end();
    await this.written;
  }

  /** Gives it up. */
  async drop(): Promise<void> {
    this.gzip.destroy();
    await this.written.catch(() => undefined);
    await rm(this.file, { force: true });
  }

  private flush(): Promise<void> | undefined {
    const { text } = this;
    this.text = "";
    if (this.gzip.write(text)) return undefined;
    return Promise.race([new Promise<void>((resolve) => this.gzip.once("drain", resolve)), this.written]);
  }
}

/** The index of a backup that is being made, from its parts, which are removed. */
export async function joinIndex(directory: string, parts: readonly IndexPart[]): Promise<FileRecord> {
  const record = await writeDurable(path.join(directory, FILES.index), contentOf(parts));
  for (const { file } of parts) await rm(file);
  return record;
}

async function* contentOf(parts: readonly IndexPart[]): AsyncGenerator<Buffer> {
  for (const { file } of parts) for await (const chunk of createReadStream(file)) yield chunk as Buffer;
}

/**
 * The entries of a backup's index, from the directory that it is in.
 * @throws IndexError, or the error of a damaged gzip file; one that was cut may end early and without an error within its
 * last part: compare its SHA-256 with the manifest's first
 */
export async function* readIndex(directory: string): AsyncGenerator<Entry> {
  const unzipped = createGunzip();
  const file = path.join(directory, FILES.index);
  const reading = pipeline(createReadStream(file, { fd: openRegular(file, Infinity) }), unzipped);
  reading.catch(() => undefined);
  let first = true;
  for await (const line of linesOf(unzipped)) {
    if (!first) yield parseEntry(line);
    else if (line !== FIRST_LINE) throw new IndexError("the index is of a version that is not known here");
    first = false;
  }
  await reading;
  if (first) throw new IndexError("the index is empty");
}

/** By line feeds only: names and payloads may hold every other character. */
async function* linesOf(stream: Readable): AsyncGenerator<string> {
  let held = "";
  for await (const chunk of stream.setEncoding("utf8") as AsyncIterable<string>) {
    const lines = (held + chunk).split("\n");
    held = lines.pop() ?? "";
    yield* lines;
  }
  if (held !== "") yield held;
}
