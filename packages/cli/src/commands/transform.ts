import { windowProblem } from '@backfill/core/domain/submission';
import { parseS3Prefix } from '@backfill/core/storage/layout';
import { formatDryRun, formatReplay, formatTransformSummary } from '@backfill/core/text/format-transform';
import { dryRunBatch } from '@backfill/core/transform/dry-run';
import { replayBatch } from '@backfill/core/transform/replay';
import { type EventSink, transformInput } from '@backfill/core/transform/transform-input';
import type { TransformTools } from '@backfill/core/transform/transform-work';
import type { Command } from 'commander';
import { z } from 'zod';
import type { CliContext } from '../cli-context.ts';
import { CliError, UsageError } from '../cli-error.ts';
import { EventFile } from '../event-file.ts';
import { helpExamples } from '../help-examples.ts';
import type { GlobalOptions } from '../session.ts';
import { readSettings } from '../settings.ts';
import { withTransformTools } from '../transform-tools.ts';

interface TransformOptions {
  input?: string;
  source?: string;
  start?: string;
  end?: string;
  batchId?: string;
  dryRun?: boolean;
  replay?: boolean;
  output?: string;
}

/** The first and the last moment that a Date can hold. */
const EVER = { startMs: -8.64e15, endMs: 8.64e15 };

/** `backfill transform` */
export function addTransform(program: Command, context: CliContext): void {
  program
    .command('transform')
    .summary('turn raw logs into events without importing them')
    .description(
      'Turns raw logs into events as the transformer does, and stores nothing in the database. With --input: everything below a prefix, under the configuration as it is now. With --dry-run: a whole batch, counted only. With --replay: a batch again from its mirror under its pinned recipe, compared with the first run by sha256.',
    )
    .option('--input <prefix>', 'raw logs in S3: s3://analytics-raw/my-batch/')
    .option('--source <name>', 'with --input: the source that wrote them')
    .option('--start <time>', 'with --input: first moment of the window (default: all times)')
    .option('--end <time>', 'with --input: first moment after the window')
    .option('--dry-run', 'count what a batch would give')
    .option('--replay', 'make the events of a batch again')
    .option('--batch-id <id>', 'with --dry-run or --replay: the batch')
    .option('--output <file>', 'where to write the events, one JSON object a line')
    .addHelpText(
      'after',
      helpExamples(
        'transform --input s3://analytics-raw/my-batch/ --output my-batch.ndjson --source app',
        'transform --dry-run --batch-id my-batch',
        'transform --replay --batch-id my-batch --output my-batch.ndjson',
      ),
    )
    .action(async (options: TransformOptions, command: Command) => {
      const run = chooseRun(options);
      const { stateDir, json } = command.optsWithGlobals<GlobalOptions>();
      const { transformer } = readSettings(context.env, stateDir);
      const { data, lines, failure } = await withTransformTools(transformer, run.buckets, context.signal, run.work);
      const text = json ? JSON.stringify(data, null, 2) : lines.join('\n');
      context.stdout.write(`${text}\n`);
      if (failure !== undefined) throw new CliError(failure);
    });
}

interface Outcome {
  /** For `--json`. */
  data: unknown;
  lines: string[];
  failure?: string;
}

interface Run {
  /** Buckets that are read besides the configured ones. */
  buckets: string[];
  work(tools: TransformTools): Promise<Outcome>;
}

function refuse(options: TransformOptions, names: readonly (keyof TransformOptions)[], mode: string): void {
  const wrong = names.find((name) => options[name] !== undefined);
  if (wrong === undefined) return;
  const flag = wrong.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new UsageError(`--${flag} does not go with ${mode}.`);
}

/** @throws {UsageError} unless the options ask for exactly one thing, and name all it needs. */
function chooseRun(options: TransformOptions): Run {
  const modes = [options.input !== undefined, options.dryRun === true, options.replay === true];
  if (modes.filter(Boolean).length !== 1) {
    throw new UsageError('Give one of --input, --dry-run and --replay (--help explains the usage).');
  }
  if (options.input !== undefined) return inputRun(options, options.input);
  const { batchId } = options;
  const mode = options.dryRun ? '--dry-run' : '--replay';
  refuse(options, ['source', 'start', 'end'], mode);
  if (batchId === undefined) throw new UsageError(`${mode} needs --batch-id.`);
  if (options.dryRun) {
    refuse(options, ['output'], mode);
    return { buckets: [], work: (tools) => runDry(tools, batchId) };
  }
  const { output } = options;
  if (output === undefined) throw new UsageError('--replay needs --output.');
  return { buckets: [], work: (tools) => runReplay(tools, batchId, output) };
}

function inputRun(options: TransformOptions, input: string): Run {
  const { source, output } = options;
  refuse(options, ['batchId'], '--input');
  if (source === undefined) throw new UsageError('--input needs --source.');
  if (output === undefined) throw new UsageError('--input needs --output.');
  const place = parseS3Prefix(input);
  if (place === undefined) throw new UsageError(`${input} is not of the form s3://bucket/prefix/`);
  const raw = { input, source, window: windowOf(options), request: {} };
  return {
    buckets: [place.bucket],
    async work(tools) {
      const { result, written } = await intoFile(output, (sink) => transformInput(tools, raw, sink));
      return { data: { ...result, ...written }, lines: [...formatTransformSummary(result), '', ...told(written)] };
    },
  };
}

function windowOf({ start, end }: TransformOptions): { startMs: number; endMs: number } {
  if (start === undefined && end === undefined) return EVER;
  if (start === undefined || end === undefined) throw new UsageError('--start and --end go together.');
  const instant = z.iso.datetime({ offset: true });
  if (!instant.safeParse(start).success || !instant.safeParse(end).success) {
    throw new UsageError('--start and --end are times with an offset, like 2026-08-01T00:00:00Z.');
  }
  const problem = windowProblem({ start, end });
  if (problem !== undefined) throw new UsageError(`--start and --end: the window ${problem}.`);
  const [startMs, endMs] = [Date.parse(start), Date.parse(end)];
  return { startMs, endMs };
}

async function runDry(tools: TransformTools, batchId: string): Promise<Outcome> {
  const dryRun = await dryRunBatch(tools, batchId);
  return { data: dryRun, lines: formatDryRun(dryRun) };
}

async function runReplay(tools: TransformTools, batchId: string, output: string): Promise<Outcome> {
  const { result, written } = await intoFile(output, (sink) => replayBatch(tools, batchId, sink));
  return {
    data: { ...result, ...written },
    lines: [...formatReplay(result), '', ...told(written)],
    ...(result.differences.length > 0 && { failure: 'The replay is not what the first run gave.' }),
  };
}

interface Written {
  output: string;
  output_sha256: string;
}

/** Lets the work fill a file, which appears only if it comes to its end. */
async function intoFile<T>(
  output: string,
  work: (sink: EventSink) => Promise<T>,
): Promise<{ result: T; written: Written }> {
  const file = await EventFile.create(output);
  try {
    const result = await work(file);
    return { result, written: { output, output_sha256: await file.finish() } };
  } catch (error) {
    await file.discard();
    throw error;
  }
}

function told({ output, output_sha256 }: Written): string[] {
  return [`Wrote ${output} (sha256 ${output_sha256})`];
}
