import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError } from '@backfill/core/config/config-error';
import { readDefaultKpis } from '@backfill/core/config/kpi-files';
import { loadConfigDir } from '@backfill/core/config/load-config';
import { REGIONS, type Region } from '@backfill/core/config/source';
import { SOURCE_NAME } from '@backfill/core/domain/source-name';
import { findCsvTypes, withCsvTypes } from '@backfill/core/draft/csv-types';
import { type ConfigDraft, draftConfig } from '@backfill/core/draft/draft-config';
import { draftFiles } from '@backfill/core/draft/draft-files';
import { draftPolicy } from '@backfill/core/draft/draft-policy';
import { formatQuantity } from '@backfill/core/text/format-number';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { CliError } from '../cli-error.ts';
import { EXAMPLE_CONFIG } from '../config-dir.ts';
import { helpExamples } from '../help-examples.ts';
import { type FolderSample, sampleFolder } from '../sample-folder.ts';
import type { GlobalOptions } from '../session.ts';

interface InitOptions {
  from: string;
  config: string;
  source?: string;
  region?: Region;
}

const POLICY = 'policy.yaml';

/** `backfill init --from DIR --config DIR` */
export function addInit(program: Command, context: CliContext): void {
  program
    .command('init')
    .summary('draft a source and its taxonomy from raw files')
    .description(
      'Looks at the beginnings of some raw files and writes a first source and taxonomy into a configuration directory, with everything doubtful dropped, for a person to finish. Never overwrites a file. Nothing leaves this machine.',
    )
    .requiredOption('--from <dir>', 'a folder of raw files of one source')
    .requiredOption('--config <dir>', 'the configuration directory to write into; may be new')
    .option('--source <name>', "the source's name (default: the folder's)", parseSourceName)
    .addOption(
      new Option('--region <region>', 'where the data was collected; of non-eu sources no raw data is kept').choices(
        REGIONS,
      ),
    )
    .addHelpText(
      'after',
      helpExamples(
        'init --from ./my-logs --config ./my-config',
        'init --from ./my-logs --config ./my-config --source shop --region non-eu',
      ),
    )
    .action(async (options: InitOptions, command: Command) => {
      const sample = await sampleFolder(options.from);
      if (sample === undefined) throw new CliError(`No file in ${options.from} is of a known format.`);
      const draft = draftFromSample(options.source ?? sourceNameOf(options.from), sample, options.region);
      const files = draftFiles(draft);
      await addPolicy(options.config, draft, files);
      await writeNewFiles(options.config, files);
      await checkResult(options.config);
      const { json } = command.optsWithGlobals<GlobalOptions>();
      const told = json
        ? [JSON.stringify(toJson(sample, draft, files), null, 2)]
        : describe(options, sample, draft, files);
      context.stdout.write(told.map((line) => `${line}\n`).join(''));
    });
}

function draftFromSample(source: string, { format, records }: FolderSample, region?: Region): ConfigDraft {
  if (format !== 'csv') return draftConfig(source, format, records, { region });
  const types = findCsvTypes(records);
  const csv = Object.keys(types).length === 0 ? undefined : { types };
  return draftConfig(source, format, withCsvTypes(records, types), { ...(csv !== undefined && { csv }), region });
}

/**
 * A new directory gets the policy of the examples, for its own source instead of theirs, and the definitions of the KPIs.
 * Into a policy that is there already nothing is written: what is missing in it is told.
 */
async function addPolicy(dir: string, draft: ConfigDraft, files: Map<string, string>): Promise<void> {
  if (await exists(path.join(dir, POLICY))) return;
  files.set(POLICY, draftPolicy(await readFile(path.join(EXAMPLE_CONFIG, POLICY), 'utf8'), draft));
  for (const [kpi, definition] of Object.entries(await readDefaultKpis())) files.set(`kpi/${kpi}.sql`, definition);
}

async function writeNewFiles(dir: string, files: ReadonlyMap<string, string>): Promise<void> {
  const there: string[] = [];
  for (const file of files.keys()) if (await exists(path.join(dir, file))) there.push(file);
  if (there.length > 0) {
    throw new CliError(`${there.join(', ')} in ${dir} would be overwritten: nothing was written.`, [
      'Choose another name with --source, or another directory with --config.',
    ]);
  }
  for (const [file, text] of files) {
    const target = path.join(dir, file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, text, { flag: 'wx' });
  }
}

/** The draft itself always loads; the directory may have had mistakes before. */
async function checkResult(dir: string): Promise<void> {
  try {
    await loadConfigDir(dir);
  } catch (error) {
    if (error instanceof ConfigError)
      throw new CliError(`The draft is written, but: ${error.message}`, [], { cause: error });
    throw error;
  }
}

function describe(
  options: InitOptions,
  sample: FolderSample,
  draft: ConfigDraft,
  files: ReadonlyMap<string, string>,
): string[] {
  const { records, format, others, unreadable } = sample;
  const read = `Looked at ${formatQuantity(records.length, 'record')} from ${formatQuantity(sample.files, 'file')} (${format}).`;
  return [
    unreadable === 0 ? read : `${read} ${formatQuantity(unreadable, 'record')} could not be read.`,
    ...(others.length === 0 ? [] : [`Left out, of another format or damaged: ${others.join(', ')}`]),
    '',
    'Decided:',
    ...draft.decisions.map((line) => `  ${line}`),
    '',
    `Written to ${options.config}:`,
    ...[...files.keys()].map((file) => `  ${file}`),
    '',
    'Left to do:',
    ...draft.todo.map((line) => `  ${line}`),
    `  then: ./backfill taxonomy lint --config ${options.config}`,
  ];
}

function toJson(sample: FolderSample, draft: ConfigDraft, files: ReadonlyMap<string, string>): object {
  return {
    source: draft.source.source,
    format: sample.format,
    records: sample.records.length,
    unreadable: sample.unreadable,
    skipped_files: sample.others,
    decisions: draft.decisions,
    files: [...files.keys()],
    todo: draft.todo,
  };
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
      throw error;
    },
  );
}

/** The folder's name as a source's: what is not allowed in one becomes a hyphen. */
function sourceNameOf(folder: string): string {
  const name = path
    .basename(path.resolve(folder))
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 40)
    .replace(/-$/, '');
  if (SOURCE_NAME.test(name)) return name;
  throw new CliError('The name of the folder makes no name for a source.', ['Give one with --source.']);
}

function parseSourceName(text: string): string {
  if (SOURCE_NAME.test(text)) return text;
  throw new InvalidArgumentError(`It must match ${SOURCE_NAME.source}.`);
}
