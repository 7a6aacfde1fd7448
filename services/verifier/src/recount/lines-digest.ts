import { TextHash } from '../gates/text-hash.ts';

/**
 * sha256 over what lines became, in their order: the number and the event of an accepted line, the number of a
 * quarantined one. Lines that leave no row in the ledger are left out.
 */
export class LinesDigest {
  readonly #hash = new TextHash();

  /** @param eventId null for a quarantined line */
  add(lineNo: number, eventId: string | null): void {
    this.#hash.add(`${lineNo} ${eventId ?? ''}\n`);
  }

  /** Ends the digest. */
  hex(): string {
    return this.#hash.hex();
  }
}
