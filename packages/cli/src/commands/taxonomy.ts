import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { helpExamples } from '../help-examples.ts';
import { addTaxonomyDocs } from './taxonomy-docs.ts';
import { addTaxonomyLint } from './taxonomy-lint.ts';
import { addTaxonomyPublish } from './taxonomy-publish.ts';
import { addTaxonomyValidate } from './taxonomy-validate.ts';

/** `backfill taxonomy lint|publish|docs|validate` */
export function addTaxonomy(program: Command, context: CliContext): void {
  const taxonomy = program
    .command('taxonomy')
    .summary('check and describe the taxonomy')
    .description('Works on the taxonomy of a configuration directory; needs no running stack.')
    .addHelpText(
      'after',
      helpExamples(
        'taxonomy lint --config ./my-config',
        'taxonomy publish --config ./my-config',
        'taxonomy docs --config ./my-config --output taxonomy.md',
        'taxonomy validate my-batch.ndjson',
      ),
    );
  for (const add of [addTaxonomyLint, addTaxonomyPublish, addTaxonomyDocs, addTaxonomyValidate]) add(taxonomy, context);
}
