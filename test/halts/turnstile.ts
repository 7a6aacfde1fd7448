import type { Hindrance, LyingS3 } from '../support/lying-s3.ts';

/** Which answers of the object store pass through a turnstile. */
export interface Gateway {
  bucket: string;
  /** The object's key begins with this. */
  prefix: string;
  /** Asked once for each answer that has come so far, which passes when it is not meant. */
  isMeant(): Promise<boolean>;
  /** Answers that go by before the first that is looked at. */
  skip?: number;
  /** How much of an answer's body goes by before somebody is told. */
  afterBytes: number;
  /** Whether the rest of the answer waits until the turnstile is opened. */
  holds: boolean;
}

/** Tells when the object store is in the middle of an answer, and can keep it there. */
export interface Turnstile {
  /** True from the first answer on that has come so far. */
  isReached(): boolean;
  /** Lets everything pass from now on. */
  open(): void;
}

/** Puts turnstiles before an object store. */
export function createTurnstiles(s3: LyingS3): (gateway: Gateway) => Turnstile {
  const active = new Map<Gateway, () => NonNullable<Hindrance['onAnswered']>>();
  s3.lie = ({ method, bucket, key }): Hindrance | undefined => {
    if (method !== 'GET') return undefined;
    for (const [gateway, watch] of active) {
      if (gateway.bucket !== bucket || !key.startsWith(gateway.prefix)) continue;
      gateway.skip = (gateway.skip ?? 0) - 1;
      if (gateway.skip < 0) return { onAnswered: watch() };
    }
    return undefined;
  };
  return (given) => {
    const gateway = { ...given };
    let reached = false;
    let letGo: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const arrive = async () => {
      if (!(await gateway.isMeant())) return;
      reached = true;
      if (gateway.holds) await opened;
    };
    active.set(gateway, () => {
      let arrived: Promise<void> | undefined;
      return (bytes) => {
        if (bytes >= gateway.afterBytes) arrived ??= arrive();
        return arrived;
      };
    });
    return {
      isReached: () => reached,
      open() {
        active.delete(gateway);
        letGo();
      },
    };
  };
}
