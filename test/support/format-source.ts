import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import type { FormatSample } from './format-samples.ts';

/** Writes the source file of a sample into a configuration directory. */
export async function writeFormatSource(
  configDir: string,
  name: string,
  { format, csv, time, properties }: FormatSample['source'],
  changes: object = {},
): Promise<void> {
  const source = {
    version: 1,
    source: name,
    ...(format !== undefined && { format }),
    ...(csv !== undefined && { csv }),
    region: 'eu',
    pseudonym: 'hmac',
    identity: 'payload',
    events: { page_requested: '1-0-0' },
    mapping: { time, event_name: { constant: 'page_requested' }, properties },
    ...changes,
  };
  await writeFile(path.join(configDir, 'sources', `${name}.yaml`), stringify(source));
}
