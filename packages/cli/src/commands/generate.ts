import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { generateAccessLog } from '@backfill/core/generate/access-log';
import { appReferences } from '@backfill/core/generate/app-kpis';
import { generateAppLog } from '@backfill/core/generate/app-log';
import { type AppWorldOptions, lostWindow } from '@backfill/core/generate/app-world';
import { type GeneratedFile, type Planted, sumPlanted } from '@backfill/core/generate/planted';
import { formatCount, formatQuantity } from '@backfill/core/text/format-number';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { CliError, UsageError } from '../cli-error.ts';
import { helpExamples } from '../help-examples.ts';
import { parseCount } from '../parse-count.ts';
import type { GlobalOptions } from '../session.ts';

interface GenerateOptions {
  source: 'app' | 'web-access';
  seed: string;
  day: string;
  hours: number;
  sessions: number;
  requests: number;
  references?: string;
}

/** Under the duplicate gate for any size but the smallest: the demo's access log can be published. */
const REPEATS_PER_REQUEST = 0.0005;
/** The examples' (kpi.time_zone). */
const TIME_ZONE = 'Europe/Berlin';
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** `backfill generate DIR` */
export function addGenerate(program: Command, context: CliContext): void {
  program
    .command('generate')
    .summary('write made-up raw logs to try things with')
    .description(
      'Writes made-up raw logs for one of the example sources, the same for the same options on every machine. In them are planted e-mail and IP addresses, repeats, malformed lines and lines of other days.',
    )
    .argument('<dir>', 'an empty or new folder')
    .addOption(new Option('--source <name>', 'which example source').choices(['app', 'web-access']).default('app'))
    .option('--seed <text>', 'other seeds, other people', 'demo')
    .requiredOption('--day <date>', 'the first UTC day of the lost window: 2026-08-01', parseDay)
    .option('--hours <n>', 'app: length of the lost window', parseCount, 24)
    .option('--sessions <n>', 'app: sessions per day, about seven events each', parseCount, 1_000)
    .option('--requests <n>', 'web-access: requests of the day', parseCount, 5_000)
    .option('--references <file>', "app: write what the app's own books say into a file, for submit --references")
    .addHelpText(
      'after',
      helpExamples(
        'generate ./my-logs --day 2026-08-01',
        'generate ./my-logs --day 2026-08-01 --references ./books.json',
        'generate ./my-access-logs --source web-access --day 2026-08-01 --requests 20000',
      ),
    )
    .action(async (dir: string, options: GenerateOptions, command: Command) => {
      const planted = await writeFiles(dir, generate(options));
      if (options.references !== undefined) await writeReferences(options.references, options);
      const { json } = command.optsWithGlobals<GlobalOptions>();
      const text = json ? JSON.stringify(planted, null, 2) : formatPlanted(dir, planted).join('\n');
      context.stdout.write(`${text}\n`);
    });
}

function* generate(options: GenerateOptions): Generator<GeneratedFile> {
  const { seed, day, requests } = options;
  if (options.source === 'app') {
    yield* generateAppLog(appWorld(options));
    return;
  }
  const repeats = Math.floor(requests * REPEATS_PER_REQUEST);
  yield generateAccessLog({ seed, day, requests, repeats, gzip: true });
}

function appWorld({ seed, day, hours, sessions }: GenerateOptions): AppWorldOptions {
  return { seed, day, windowHours: hours, sessionsPerDay: sessions };
}

async function writeReferences(file: string, options: GenerateOptions): Promise<void> {
  if (options.source !== 'app') throw new UsageError('--references is for --source app: others have no KPIs.');
  const world = appWorld(options);
  // There are no live events around these logs.
  const references = appReferences(world, TIME_ZONE, lostWindow(world));
  await writeFile(file, `${JSON.stringify(references, null, 2)}\n`);
}

async function writeFiles(dir: string, files: Iterable<GeneratedFile>): Promise<Planted> {
  await mkdir(dir, { recursive: true });
  if ((await readdir(dir)).length > 0) throw new CliError(`${dir} is not empty.`);
  const planted: Planted[] = [];
  for (const file of files) {
    await writeFile(path.join(dir, file.name), file.bytes);
    planted.push(file.planted);
  }
  return sumPlanted(planted);
}

function formatPlanted(dir: string, planted: Planted): string[] {
  const { filtered, quarantined, personal } = planted;
  const sum = (counts: Record<string, number>): number =>
    Object.values(counts).reduce((total, count) => total + count, 0);
  return [
    `Wrote ${formatQuantity(planted.lines, 'line')} to ${dir}`,
    `  ${formatCount(planted.events)} events, ${formatQuantity(planted.duplicates, 'repeat')}`,
    `  ${formatCount(sum(filtered))} lines that belong elsewhere, ${formatCount(sum(quarantined))} malformed`,
    `  ${formatCount(personal.emails)} e-mail and ${formatCount(personal.ips)} IP addresses`,
  ];
}

function parseDay(text: string): string {
  if (DAY.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`))) return text;
  throw new InvalidArgumentError('It is not a date like 2026-08-01.');
}
