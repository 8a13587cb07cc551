import path from "node:path";
import type { QdrantClient } from "../qdrant/client.js";
import { withoutLimits } from "../qdrant/lift.js";
import { UNLIMITED } from "../qdrant/limits.js";
import type { Alias } from "../qdrant/schema.js";
import type { LineSink } from "./archive.js";
import { type Context, type Leftovers, throwIfEnded } from "./context.js";
import { type Detail, detailFor, FIRST_LINE } from "./index/format.js";
import { collectionHead, pointEntries } from "./index/points.js";
import { IndexPart, joinIndex } from "./index/store.js";
import type { CollectionRecord, FileRecord } from "./manifest.js";

/** The index of a backup while it is made: Qdrant's part, then that of the uploads, which may have to be begun again. */
export class BackupIndex {
  private readonly points: IndexPart;
  private uploads: IndexPart | null = null;

  /** @param directory of the unfinished backup */
  constructor(private readonly directory: string, leftovers: Leftovers) {
    this.points = new IndexPart(path.join(directory, ".index-points"));
    void this.points.line(FIRST_LINE);
    leftovers.add("the unfinished index", async () => {
      await this.points.drop();
      await this.uploads?.drop();
    });
  }

  /** Lists every point of the scratch, which holds what the archive will. @returns what is covered of each collection */
  async addCollections(context: Context, scratch: QdrantClient, collections: Readonly<Record<string, CollectionRecord>>, aliases: readonly Alias[]): Promise<Record<string, Detail>> {
    const details: [string, Detail][] = [];
    for (const [name, { points }] of Object.entries(collections).sort(([a], [b]) => (a < b ? -1 : 1))) {
      const info = await scratch.collection(name);
      const detail = detailFor(points, info.config);
      await this.points.add(collectionHead(name, detail, info, aliases));
      await withoutLimits(scratch, name, info.config, async () => {
        for await (const entry of pointEntries(scratch, name, detail, UNLIMITED)) await this.points.add(entry);
      });
      throwIfEnded(context.signal);
      details.push([name, detail]);
    }
    return Object.fromEntries(details);
  }

  /** Begins the list of the uploads, anew if there was one. */
  async beginUploads(): Promise<LineSink> {
    await this.uploads?.drop();
    const part = new IndexPart(path.join(this.directory, ".index-uploads"));
    this.uploads = part;
    await part.add({ type: "uploads" });
    return (line) => part.line(line);
  }

  /** Writes `index.ndjson.gz`. */
  async finish(): Promise<FileRecord> {
    const parts = [this.points, ...(this.uploads === null ? [] : [this.uploads])];
    for (const part of parts) await part.end();
    return joinIndex(this.directory, parts);
  }
}
