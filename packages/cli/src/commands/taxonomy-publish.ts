import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { lintTaxonomyDir } from '@backfill/core/config/lint-taxonomy-dir';
import { PUBLISHED_FILE, publishedText } from '@backfill/core/config/published-schemas';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { resolveConfigDir, withConfigOption } from '../config-dir.ts';
import { helpExamples } from '../help-examples.ts';
import type { GlobalOptions } from '../session.ts';
import { formatViolation, refuseViolations } from './taxonomy-lint.ts';

interface PublishOptions {
  config?: string;
}

/** `backfill taxonomy publish` */
export function addTaxonomyPublish(taxonomy: Command, context: CliContext): void {
  withConfigOption(taxonomy.command('publish'))
    .summary('lock the schemas as they are')
    .description(
      `Writes the sha256 of every schema to ${PUBLISHED_FILE}: from then on lint refuses a changed or removed one. Refuses a taxonomy with violations.`,
    )
    .addHelpText('after', helpExamples('taxonomy publish --config ./my-config'))
    .action(async (options: PublishOptions, command: Command) => {
      const dir = await resolveConfigDir(context, options.config);
      const { taxonomy: schemas, unpublished, violations } = await lintTaxonomyDir(dir);
      context.stderr.write(violations.map((violation) => `${formatViolation(violation)}\n`).join(''));
      refuseViolations(violations);
      await writeFile(path.join(dir, PUBLISHED_FILE), publishedText(schemas));
      const { json } = command.optsWithGlobals<GlobalOptions>();
      const text =
        unpublished.length === 0 ? 'Every schema was published already.' : `Published ${unpublished.join(', ')}.`;
      context.stdout.write(`${json ? JSON.stringify({ published: unpublished }, null, 2) : text}\n`);
    });
}
