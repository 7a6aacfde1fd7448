import type { ConfigMistake } from '@backfill/core/config/config-error';
import { lintTaxonomyDir, type TaxonomyFindings } from '@backfill/core/config/lint-taxonomy-dir';
import { formatQuantity } from '@backfill/core/text/format-number';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { CliError } from '../cli-error.ts';
import { resolveConfigDir, withConfigOption } from '../config-dir.ts';
import { helpExamples } from '../help-examples.ts';
import type { GlobalOptions } from '../session.ts';

interface LintOptions {
  config?: string;
}

/** `backfill taxonomy lint` */
export function addTaxonomyLint(taxonomy: Command, context: CliContext): void {
  withConfigOption(taxonomy.command('lint'))
    .summary('list everything wrong with the taxonomy')
    .description(
      'Checks every schema (each property has x-pii, strings have lengths, numbers bounds), every upcast, that an addition takes all older data, and that no published schema has changed. Exit code 1 if there is anything to list.',
    )
    .addHelpText('after', helpExamples('taxonomy lint', 'taxonomy lint --config ./my-config --json'))
    .action(async (options: LintOptions, command: Command) => {
      const findings = await lintTaxonomyDir(await resolveConfigDir(context, options.config));
      const { json } = command.optsWithGlobals<GlobalOptions>();
      const lines = json ? [JSON.stringify(toJson(findings), null, 2)] : findings.violations.map(formatViolation);
      context.stdout.write(lines.map((line) => `${line}\n`).join(''));
      refuseViolations(findings.violations);
      if (!json) context.stdout.write(`${describeTaxonomy(findings)}\n`);
    });
}

/** @throws {CliError} saying how many there are, if any. */
export function refuseViolations(violations: readonly ConfigMistake[]): void {
  if (violations.length > 0) throw new CliError(`${formatQuantity(violations.length, 'violation')}.`);
}

/** `<file> <path>: <message>` */
export function formatViolation({ file, path, message }: ConfigMistake): string {
  return `${path === '' ? file : `${file} ${path}`}: ${message}`;
}

function toJson(findings: TaxonomyFindings): object {
  const { unpublished, violations } = findings;
  return { ...countTaxonomy(findings), unpublished, violations };
}

function describeTaxonomy(findings: TaxonomyFindings): string {
  const { events, schemas, upcasts } = countTaxonomy(findings);
  const { unpublished } = findings;
  const open = unpublished.length === 0 ? '' : ` Not published yet: ${unpublished.join(', ')}.`;
  return `${formatQuantity(events, 'event')}, ${formatQuantity(schemas, 'schema')}, ${formatQuantity(upcasts, 'upcast')}: nothing wrong.${open}`;
}

function countTaxonomy({ taxonomy, upcasts }: TaxonomyFindings): { events: number; schemas: number; upcasts: number } {
  const sizes = (maps: Iterable<ReadonlyMap<string, unknown>>): number =>
    [...maps].reduce((sum, { size }) => sum + size, 0);
  return { events: taxonomy.size, schemas: sizes(taxonomy.values()), upcasts: sizes(upcasts.values()) };
}
