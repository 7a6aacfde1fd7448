import { stringify } from 'yaml';
import type { ConfigDraft } from './draft-config.ts';

/** The files of a draft, by their path inside the configuration directory. */
export function draftFiles({ source, schemas, todo }: ConfigDraft): Map<string, string> {
  const head = [
    `# A first draft by ./backfill init. Left to do, before it goes anywhere near real events:`,
    ...todo.map((line) => `#  - ${line}`),
    '',
  ];
  const files = new Map([[`sources/${source.source}.yaml`, head.join('\n') + stringify(source, { lineWidth: 0 })]]);
  for (const [eventName, schema] of schemas) {
    files.set(`taxonomy/events/${eventName}/1-0-0.schema.json`, `${JSON.stringify(schema, null, 2)}\n`);
  }
  return files;
}
