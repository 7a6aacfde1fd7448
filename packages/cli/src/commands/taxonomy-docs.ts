import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { formatTaxonomy } from '@backfill/core/text/format-taxonomy';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { loadConfig, resolveConfigDir, withConfigOption } from '../config-dir.ts';
import { helpExamples } from '../help-examples.ts';
import type { GlobalOptions } from '../session.ts';

interface DocsOptions {
  config?: string;
  output: string;
}

/** `backfill taxonomy docs` */
export function addTaxonomyDocs(taxonomy: Command, context: CliContext): void {
  withConfigOption(taxonomy.command('docs'))
    .summary('describe every event in Markdown')
    .description('Writes a page with every event, its versions and sources, and each property with type and x-pii.')
    .option('--output <file>', 'where to write it; - prints it', 'docs/analytics/taxonomy.md')
    .addHelpText('after', helpExamples('taxonomy docs', 'taxonomy docs --config ./my-config --output -'))
    .action(async (options: DocsOptions, command: Command) => {
      const config = await loadConfig(await resolveConfigDir(context, options.config));
      const text = formatTaxonomy(config);
      if (options.output === '-') {
        context.stdout.write(text);
        return;
      }
      await mkdir(path.dirname(options.output), { recursive: true });
      await writeFile(options.output, text);
      const { json } = command.optsWithGlobals<GlobalOptions>();
      const told = json
        ? JSON.stringify({ output: options.output, events: config.taxonomy.size }, null, 2)
        : `Wrote ${options.output}`;
      context.stdout.write(`${told}\n`);
    });
}
