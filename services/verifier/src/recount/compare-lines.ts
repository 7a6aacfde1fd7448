import type { LedgerLine } from '@backfill/core/db/queries/ledger-line-list';
import type { RawLine } from '@backfill/core/formats/raw-line';
import type { SecondOutcome, SecondReading } from './second-reading.ts';

/** Lines by what the second reading made of them. */
export type RecountedOutcome = SecondOutcome['outcome'] | 'suppressed';

/** What a file's lines are by the second reading, and where the ledger says otherwise. */
export interface LineFindings {
  lines: number;
  outcomes: Record<RecountedOutcome, number>;
  disagreements: number;
  /** The first of them: a line's number and what is wrong, never what stands in it. */
  examples: string[];
}

interface CompareOptions {
  read: SecondReading;
  /** True for a person whose events must not be stored now; some of theirs may have been imported before. */
  isSuppressed(subjectId: string): boolean;
  /** The ledger's lines behind this one, in order; none when there are no more. */
  nextLedgerLines(afterLine: number): Promise<LedgerLine[]>;
}

const MAX_EXAMPLES = 5;

/** What is wrong about a line of the ledger; undefined when nothing is. */
function problemOf(second: SecondOutcome, ledger: LedgerLine | undefined, isSuppressed: boolean): string | undefined {
  if (ledger === undefined) {
    const isMissing = second.outcome === 'accepted' || second.outcome === 'quarantined';
    return isMissing && !isSuppressed ? `is ${second.outcome}, and the ledger does not have it` : undefined;
  }
  if (ledger.event_id === null) {
    return second.outcome === 'quarantined' ? undefined : `is ${second.outcome}, and quarantined in the ledger`;
  }
  if (second.outcome !== 'accepted') return `is ${second.outcome}, and accepted in the ledger`;
  return second.eventId === ledger.event_id ? undefined : 'is another event than in the ledger';
}

/** The ledger's lines of a file, one after the other. */
class Ledger {
  readonly #nextPage: CompareOptions['nextLedgerLines'];
  #page: LedgerLine[] = [];
  #at = 0;

  constructor(nextPage: CompareOptions['nextLedgerLines']) {
    this.#nextPage = nextPage;
  }

  /** The line at hand; undefined behind the last one. */
  get current(): LedgerLine | undefined {
    return this.#page[this.#at];
  }

  /** Goes to the first line, or on to the next one. */
  async advance(): Promise<void> {
    this.#at += 1;
    if (this.#at < this.#page.length) return;
    this.#page = await this.#nextPage(this.#page.at(-1)?.line_no ?? 0);
    this.#at = 0;
  }
}

class Findings implements LineFindings {
  lines = 0;
  outcomes = { accepted: 0, quarantined: 0, suppressed: 0, expired: 0, filtered: 0 };
  disagreements = 0;
  examples: string[] = [];

  note(lineNo: number, problem: string | undefined): void {
    if (problem === undefined) return;
    this.disagreements += 1;
    if (this.examples.length < MAX_EXAMPLES) this.examples.push(`line ${lineNo} ${problem}`);
  }

  /** Notes the ledger's lines before `lineNo`, which no line of the file has asked for. */
  async skip(ledger: Ledger, lineNo: number, problem: string): Promise<void> {
    for (let line = ledger.current; line !== undefined && line.line_no < lineNo; line = ledger.current) {
      this.note(line.line_no, problem);
      await ledger.advance();
    }
  }
}

/** Holds each line of a file against the ledger, both in order, in bounded memory. */
export async function compareLines(
  batches: AsyncIterable<RawLine[]>,
  { read, isSuppressed, nextLedgerLines }: CompareOptions,
): Promise<LineFindings> {
  const found = new Findings();
  const ledger = new Ledger(nextLedgerLines);
  await ledger.advance();

  async function compare(line: RawLine): Promise<void> {
    const second = read(line);
    const suppressed =
      line.isErased === true || ('subjectId' in second && second.subjectId !== null && isSuppressed(second.subjectId));
    await found.skip(ledger, line.lineNo, 'is twice in the ledger');
    const own = ledger.current?.line_no === line.lineNo ? ledger.current : undefined;
    found.lines += 1;
    found.outcomes[own === undefined && suppressed ? 'suppressed' : second.outcome] += 1;
    found.note(line.lineNo, problemOf(second, own, suppressed));
    if (own !== undefined) await ledger.advance();
  }

  for await (const lines of batches) for (const line of lines) await compare(line);
  await found.skip(ledger, Number.POSITIVE_INFINITY, 'is in the ledger and not in the mirror');
  return { lines: found.lines, outcomes: found.outcomes, disagreements: found.disagreements, examples: found.examples };
}
