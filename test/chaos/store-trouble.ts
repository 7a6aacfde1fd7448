import type { Lie } from '../support/lying-s3.ts';
import type { StoreTrouble } from './schedule.ts';

const SLOW_MS = 400;
/** Small enough to fall into the middle of most objects of the suite. */
const CUT_AFTER_BYTES = 5_000;
/** In the middle of what a listing says of an object. */
const END_LISTING_AFTER_BYTES = 500;

/** How the object store's troubles show. Half of the requests get through, so that retries meet both. */
export function troubleLie(trouble: StoreTrouble): Lie {
  let requests = 0;
  const troubled = () => {
    requests += 1;
    return requests % 2 === 1;
  };
  switch (trouble) {
    case 'error 500':
      return () => (troubled() ? { status: 500 } : undefined);
    case 'error 503':
      return () => (troubled() ? { status: 503, body: '<Error><Code>SlowDown</Code></Error>' } : undefined);
    case 'slow':
      return () => ({ delayMs: SLOW_MS });
    case 'cut short':
      return () => (troubled() ? { cutAfterBytes: CUT_AFTER_BYTES } : undefined);
    case 'ends early':
      return ({ key }) =>
        troubled() ? { endAfterBytes: key === '' ? END_LISTING_AFTER_BYTES : CUT_AFTER_BYTES } : undefined;
  }
}
