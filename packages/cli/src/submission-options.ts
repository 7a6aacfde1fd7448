import { BATCH_ID, type BatchRequest, windowProblem } from '@backfill/core/domain/submission';
import type { Command } from 'commander';
import { z } from 'zod';
import { UsageError } from './cli-error.ts';
import { readReferences } from './references-file.ts';

/** The options that describe a batch, as commander hands them over. */
export interface SubmissionOptions {
  source: string;
  start: string;
  end: string;
  expectedEvents?: string;
  maxOverlap?: string;
  references?: string;
  reason: string;
  replacesBatch?: string;
  replacesLive?: boolean;
  retentionExceptionWhy?: string;
  retentionExceptionUntil?: string;
  ticket?: string;
}

/** Adds the options that describe a batch, all but its id and input. */
export function withSubmissionOptions(command: Command): Command {
  return command
    .requiredOption('--source <name>', 'the source that wrote the raw logs')
    .requiredOption('--start <time>', 'first moment of the window: 2026-08-01T00:00:00Z')
    .requiredOption('--end <time>', 'first moment after the window')
    .option('--expected-events <n>', 'your own count of the missing events')
    .option('--max-overlap <share>', 'share of events that live ingestion may have as well')
    .option('--references <file>', 'what others have counted: a JSON list of {kpi, day, value, source}')
    .option('--reason <reason>', 'why there is something to fill', 'outage')
    .option('--replaces-batch <id>', 'the published batch whose place it takes (reprocess, schema_migration)')
    .option('--replaces-live', 'takes the place of live events in the window')
    .option('--retention-exception-why <text>', 'lets older data in: the reason')
    .option('--retention-exception-until <date>', 'lets older data in: how long it may stay')
    .option('--ticket <text>', 'where the work is tracked');
}

const instant = z.iso.datetime({ offset: true });

/** A submission as far as the command line can judge it; the API judges the rest. */
export type SubmissionBody = Omit<BatchRequest, 'reason'> & { reason: string };

/**
 * The body of a submission.
 *
 * @throws {UsageError} naming every option that cannot be understood; what only the API can know, the API says.
 */
export function submissionBody(batchId: string, input: string, options: SubmissionOptions): SubmissionBody {
  const given = options.references === undefined ? { references: undefined } : readReferences(options.references);
  const mistakes = [
    ...('mistake' in given ? [given.mistake] : []),
    ...batchIdMistakes(batchId),
    ...windowMistakes(options),
    ...numberMistakes('--expected-events', options.expectedEvents, 'a whole number', /^\d{1,15}$/),
    ...numberMistakes('--max-overlap', options.maxOverlap, 'a share from 0 to 1', /^(0?\.\d+|0|1(\.0+)?)$/),
    ...exceptionMistakes(options),
    ...replacesMistakes(options),
  ];
  if ('mistake' in given || mistakes.length > 0) throw new UsageError(mistakes.join('\n'));
  const { retentionExceptionWhy: why, retentionExceptionUntil: until, ticket } = options;
  return {
    batch_id: batchId,
    source: options.source,
    reason: options.reason,
    input,
    window: { start: options.start, end: options.end },
    ...(options.expectedEvents !== undefined && { expected_events: Number(options.expectedEvents) }),
    ...(options.maxOverlap !== undefined && { max_overlap: Number(options.maxOverlap) }),
    ...(given.references !== undefined && { references: given.references }),
    ...replacesOf(options),
    ...(why !== undefined && until !== undefined && { retention_exception: { why, until } }),
    ...(ticket !== undefined && { ticket }),
  };
}

function replacesOf({ replacesBatch, replacesLive }: SubmissionOptions): Pick<BatchRequest, 'replaces'> {
  if (replacesBatch !== undefined) return { replaces: { batch_id: replacesBatch } };
  return replacesLive === true ? { replaces: { live: true } } : {};
}

function replacesMistakes({ replacesBatch, replacesLive }: SubmissionOptions): string[] {
  return replacesBatch !== undefined && replacesLive === true
    ? ['--replaces-batch and --replaces-live do not go together']
    : [];
}

function batchIdMistakes(batchId: string): string[] {
  return BATCH_ID.test(batchId)
    ? []
    : ['the batch id is 1 to 63 letters, digits, dots, dashes and underscores, the first a letter or digit'];
}

function windowMistakes({ start, end }: SubmissionOptions): string[] {
  const unreadable = [['--start', start] as const, ['--end', end] as const].filter(
    ([, time]) => !instant.safeParse(time).success,
  );
  if (unreadable.length > 0) {
    return unreadable.map(([name]) => `${name} is not a time with an offset, such as 2026-08-01T00:00:00Z`);
  }
  const problem = windowProblem({ start, end });
  return problem === undefined ? [] : [`the window ${problem}`];
}

function numberMistakes(name: string, text: string | undefined, expected: string, pattern: RegExp): string[] {
  return text === undefined || pattern.test(text) ? [] : [`${name} is not ${expected}`];
}

function exceptionMistakes(options: SubmissionOptions): string[] {
  const { retentionExceptionWhy: why, retentionExceptionUntil: until } = options;
  return (why === undefined) === (until === undefined)
    ? []
    : ['--retention-exception-why and --retention-exception-until go together'];
}
