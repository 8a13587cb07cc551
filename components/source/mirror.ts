/** The local copy of an app's repository: bare, ours, below the project's cache. The source itself is only read. */
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { codeOf, errors } from "../runtime/errors.js";
import { absent, askServer, gitAt, type GitPlace, unreadable } from "./git.js";
import { OBJECT_ID, parseSource } from "./names.js";

/** Below the project's directory. */
export const CACHE = ".release/cache";

export interface Place {
  /** As in settings: a path or URL. */
  source: string;
  /** Relative sources and the cache are below it. Default: the current directory. */
  projectDir?: string;
  /** Milliseconds without a word from git until it is ended. Default 30 s. */
  silenceMs?: number;
}

const SILENCE_MS = 30_000;

export function projectDirOf(place: Pick<Place, "projectDir">): string {
  return path.resolve(place.projectDir ?? process.cwd());
}

/** What git is given: an absolute path, or a URL. @throws ReleaseError for an address that git must not see */
export function addressOf(place: Place): string {
  const parsed = parseSource(place.source);
  if ("problem" in parsed) {
    throw errors.sourceRefused({ subject: "The app's repository", why: `pbjrag:source ${parsed.problem.what}`, next: parsed.problem.next });
  }
  if (parsed.kind === "remote") {
    return parsed.url;
  }
  const absolute = path.resolve(projectDirOf(place), parsed.path);
  if (!existsSync(absolute)) {
    throw absent(absolute);
  }
  return absolute;
}

/** A ref of the source: `id` is what it names, `commit` what that leads to (the same for a lightweight tag). */
export interface RemoteTag {
  tag: string;
  tagObject: string;
  commit: string;
}

/** All tags of the source as they are there now. @throws ReleaseError when it cannot be read in time */
export async function readTags(place: Place): Promise<RemoteTag[]> {
  const address = addressOf(place);
  const silenceMs = place.silenceMs ?? SILENCE_MS;
  const text = await askServer({ dir: projectDirOf(place), bare: false, silenceMs }, ["ls-remote", "--tags", "--", address]).catch((error: unknown) => {
    throw unreadable(address, error, silenceMs);
  });
  return parseTags(text);
}

const TAG_LINE = new RegExp(`^(${OBJECT_ID})\\trefs/tags/(.+)$`);
/** Characters of an id of git's newer format. */
const SHA256_LENGTH = 64;

/** `<id>\trefs/tags/<name>`, and `<name>^{}` with the commit that an annotated tag leads to. */
export function parseTags(text: string): RemoteTag[] {
  const objects = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = TAG_LINE.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) {
      objects.set(match[2], match[1]);
    }
  }
  return [...objects].flatMap(([tag, tagObject]) => (tag.endsWith("^{}") ? [] : [{ tag, tagObject, commit: objects.get(`${tag}^{}`) ?? tagObject }]));
}

/** Our bare copy of one source. */
export class Mirror {
  readonly dir: string;
  private readonly address: string;
  private readonly silenceMs: number;

  /** @param address as {@link addressOf} gives it, or the source itself where only what is cached is wanted */
  constructor(place: Place, address: string) {
    this.address = address;
    this.silenceMs = place.silenceMs ?? SILENCE_MS;
    const hash = createHash("sha256").update(address).digest("hex").slice(0, 20);
    this.dir = path.join(projectDirOf(place), CACHE, "git", `${hash}.git`);
  }

  git(): ReturnType<typeof gitAt> {
    return gitAt(this.place());
  }

  private place(): GitPlace {
    return { dir: this.dir, bare: true, silenceMs: this.silenceMs };
  }

  /** Whether the commit is here with everything in it: a fetch adds all or nothing. */
  async has(commit: string): Promise<boolean> {
    if (!existsSync(this.dir)) {
      return false;
    }
    const type = await this.git().raw(["cat-file", "-t", commit]).catch(() => "");
    return type.trim() === "commit";
  }

  /**
   * Gets a commit from the source. Each is kept under a ref of its own, so that two at once do not meet, and so that
   * what is here already is not sent again.
   * @param ref what to ask the source for: `refs/tags/<tag>`, or the commit itself
   * @param object what that ref named when it was looked at
   */
  async fetch(ref: string, object: string, commit: string): Promise<void> {
    if (await this.has(commit)) {
      return;
    }
    await this.init(object.length === SHA256_LENGTH ? "sha256" : "sha1");
    // A source that is itself a shallow clone has no more than that to give, and a release needs no more: without the first option git (2.39)
    // takes the objects, rejects the ref, and ends well.
    const options = ["--update-shallow", "--no-tags", "--no-write-fetch-head", "--force", "--progress"];
    try {
      await askServer(this.place(), ["fetch", ...options, "--", this.address, `${ref}:refs/kept/${object}`]);
    } catch (error) {
      // Another process may have brought it in the meantime and won the ref: then there is nothing to complain about.
      if (!(await this.has(commit))) {
        throw unreadable(this.address, error, this.silenceMs);
      }
    }
  }

  /** Made aside and moved into place, so that nobody ever sees half of it. */
  private async init(format: "sha1" | "sha256"): Promise<void> {
    if (existsSync(this.dir)) {
      return;
    }
    const aside = `${this.dir}.${process.pid}.${randomBytes(4).toString("hex")}`;
    await mkdir(aside, { recursive: true });
    try {
      await gitAt({ dir: aside, bare: false }).raw(["init", "--quiet", "--bare", "--template=", ...(format === "sha1" ? [] : [`--object-format=${format}`]), "."]);
      await rename(aside, this.dir);
    } catch (error) {
      await rm(aside, { recursive: true, force: true });
      if (!["ENOTEMPTY", "EEXIST"].includes(codeOf(error))) {
        throw error;
      }
    }
  }
}
