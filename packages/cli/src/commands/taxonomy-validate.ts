import { isUtf8 } from 'node:buffer';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { splitLines } from '@backfill/core/formats/split-lines';
import {
  compileEventLineLinter,
  type EventLineLinter,
  type LineViolation,
} from '@backfill/core/recipe/lint-event-line';
import { formatCount, formatQuantity } from '@backfill/core/text/format-number';
import type { TextOutput } from '@backfill/core/text/live-block';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { CliError, UsageError } from '../cli-error.ts';
import { loadConfig, resolveConfigDir, withConfigOption } from '../config-dir.ts';
import { helpExamples } from '../help-examples.ts';
import type { GlobalOptions } from '../session.ts';

interface ValidateOptions {
  config?: string;
}

/** Longer than any event that a line within the default limits can become. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const TOO_LONG: LineViolation = { path: '', message: 'is too long' };
const NOT_UTF8: LineViolation = { path: '', message: 'is not UTF-8' };

/** `backfill taxonomy validate FILE`, also as scripts/validate_events.sh */
export function addTaxonomyValidate(taxonomy: Command, context: CliContext): void {
  withConfigOption(taxonomy.command('validate'))
    .summary('check a file of transformed events')
    .description(
      'Checks every line of transformed NDJSON against the taxonomy and the identity formula, and lists each violation as <file>:<line> <path>: <what is wrong>, never with a value. Exit code 1 if there are any.',
    )
    .argument('<file>', 'transformed events, one JSON object per line')
    .addHelpText('after', helpExamples('taxonomy validate my-batch.ndjson', 'taxonomy validate my-batch.ndjson --json'))
    .action(async (file: string, options: ValidateOptions, command: Command) => {
      const { taxonomy: schemas } = await loadConfig(await resolveConfigDir(context, options.config));
      const { json } = command.optsWithGlobals<GlobalOptions>();
      const print = json ? jsonPrinter(context.stdout) : textPrinter(context.stdout, file);
      const lint = compileEventLineLinter(schemas);
      const { lines, violations } = await validateFile(file, lint, print.violation, context.signal);
      await print.end(lines);
      if (violations > 0) {
        throw new CliError(`${formatQuantity(violations, 'violation')} in ${formatQuantity(lines, 'line')}.`);
      }
      if (!json) context.stdout.write(`${formatCount(lines)} lines: nothing wrong.\n`);
    });
}

type PrintViolation = (lineNo: number, violation: LineViolation) => Promise<void>;

/** Reads the file as a stream: memory does not grow with it, nor with what is wrong in it. */
async function validateFile(
  file: string,
  lint: EventLineLinter,
  print: PrintViolation,
  signal: AbortSignal,
): Promise<{ lines: number; violations: number }> {
  let lines = 0;
  let violations = 0;
  const source = await openFile(file);
  for await (const batch of splitLines(source, { firstLine: 1, maxLineBytes: MAX_LINE_BYTES })) {
    signal.throwIfAborted();
    for (const { bytes, lineNo } of batch) {
      lines = lineNo;
      const found = bytes === undefined ? [TOO_LONG] : isUtf8(bytes) ? lint(bytes.toString()) : [NOT_UTF8];
      violations += found.length;
      for (const violation of found) await print(lineNo, violation);
    }
  }
  return { lines, violations };
}

async function openFile(file: string): Promise<AsyncIterable<Buffer>> {
  try {
    const handle = await open(file);
    if (!(await handle.stat()).isDirectory()) return handle.createReadStream({ highWaterMark: 256 * 1024 });
    await handle.close();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    throw new UsageError(`${file} cannot be read (${String(code)}).`, [], { cause: error });
  }
  throw new UsageError(`${file} is a folder.`);
}

interface Printer {
  violation: PrintViolation;
  end(lines: number): Promise<void>;
}

function textPrinter(out: TextOutput, file: string): Printer {
  return {
    violation: (lineNo, { path, message }) => write(out, `${file}:${lineNo} ${path === '' ? '/' : path}: ${message}\n`),
    end: async () => undefined,
  };
}

/** One JSON document, written as it is found. */
function jsonPrinter(out: TextOutput): Printer {
  let before = '{"violations":[\n';
  return {
    async violation(lineNo, { path, message }) {
      await write(out, `${before}${JSON.stringify({ line: lineNo, path, message })}`);
      before = ',\n';
    },
    end: (lines) => write(out, `${before === ',\n' ? '\n' : before}],"lines":${lines}}\n`),
  };
}

/** Waits while whoever reads the output is slower than the file. */
async function write(out: TextOutput, text: string): Promise<void> {
  if (out.write(text) === false && 'once' in out) await once(out as NodeJS.WriteStream, 'drain');
}
