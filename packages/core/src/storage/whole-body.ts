import { pipeline, type Readable, Transform } from 'node:stream';
import { BackfillError } from '../errors.ts';

/** The object store's answer was over before the object was. Asked for again, it may come whole. */
export class ShortBodyError extends BackfillError {
  override name = 'ShortBodyError';
}

/**
 * Passes the bytes of an answer on, and ends as it does only if they are all there. A connection that is closed in
 * order may look like the end of the object: whoever reads half of one without noticing loses lines.
 *
 * @param expected how many bytes there must be; undefined when nobody has said
 * @param isWhole asked at the end when the count is another: whether that many bytes are the object after all
 */
export function wholeBody(
  body: Readable,
  expected: number | undefined,
  isWhole: (bytes: number) => Promise<boolean>,
): Readable {
  let bytes = 0;
  const whole = new Transform({
    transform(block: Buffer, _encoding, done) {
      bytes += block.length;
      done(null, block);
    },
    flush(done) {
      if (bytes === expected) return done();
      isWhole(bytes).then(
        (is) =>
          done(
            is
              ? null
              : new ShortBodyError(`the object store's answer was over after ${bytes} bytes, and the object is not`),
          ),
        (error) => done(error),
      );
    },
  });
  // Every error ends up in the result, which is where the reader meets it; who destroys that, destroys the source.
  return pipeline(body, whole, () => undefined);
}
