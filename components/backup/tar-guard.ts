import { Transform, type TransformCallback } from "node:stream";
import { asError } from "../runtime/errors.js";
import { TarContents } from "./tar-contents.js";
import type { TarObserver } from "./tar-observer.js";
import { type Expected, TarRules } from "./tar-rules.js";
import { TarScanner } from "./tar-scan.js";

/** Passes a tar stream on and fails before anything gets through that its rules refuse: what unpacks behind it can write only where it should. */
export class TarGuard extends Transform {
  private readonly rules: TarRules;
  private readonly scanner: TarScanner;

  /**
   * @param expected null where no manifest says it yet
   * @param observer sees what passes; it is not waited for
   */
  constructor(expected: Expected | null, observer?: TarObserver) {
    super();
    const rules = new TarRules(expected);
    const contents = new TarContents(observer);
    this.rules = rules;
    this.scanner = new TarScanner({
      entry: (entry) => {
        rules.entry(entry);
        contents.entry(entry);
      },
      body: (part) => contents.body(part),
      end: () => rules.end(),
    });
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.scanner.consume(chunk);
      done(null, chunk);
    } catch (error) {
      done(asError(error));
    }
  }

  override _flush(done: TransformCallback): void {
    try {
      this.scanner.assertWhole();
      this.rules.assertComplete();
      done();
    } catch (error) {
      done(asError(error));
    }
  }
}
