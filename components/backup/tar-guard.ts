import { Transform, type TransformCallback } from "node:stream";
import { asError } from "../runtime/errors.js";
import { type Expected, TarRules } from "./tar-rules.js";
import { TarScanner } from "./tar-scan.js";

/** Passes a tar stream on and fails before anything gets through that its rules refuse: what unpacks behind it can write only where it should. */
export class TarGuard extends Transform {
  private readonly rules: TarRules;
  private readonly scanner: TarScanner;

  /** @param expected null where no manifest says it yet */
  constructor(expected: Expected | null) {
    super();
    this.rules = new TarRules(expected);
    this.scanner = new TarScanner(this.rules);
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
