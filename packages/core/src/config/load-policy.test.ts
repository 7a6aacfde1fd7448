import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadPolicy } from './load-policy.ts';

const EXAMPLE = fileURLToPath(new URL('../../../../examples/config/policy.yaml', import.meta.url));

let dir: string;
let withoutResidency: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'backfill-config-'));
  await cp(EXAMPLE, path.join(dir, 'policy.yaml'));
  withoutResidency = (await readFile(EXAMPLE, 'utf8')).split('\nresidency:')[0] ?? '';
});
afterEach(() => rm(dir, { recursive: true }));

const write = (residency: string) => writeFile(path.join(dir, 'policy.yaml'), `${withoutResidency}\n${residency}`);

it('lets the example run on this machine alone', async () => {
  const { residency } = await loadPolicy(dir);
  expect(residency).toMatchObject({ loopback: true, hosts: [], vouched_buckets: [] });
});

it('allows regions in the EU and no host at all, where a policy says nothing', async () => {
  await write('');
  const { residency } = await loadPolicy(dir);
  expect(residency).toEqual({
    regions: expect.arrayContaining(['eu-central-1', 'eu-west-1']),
    ...{ hosts: [], loopback: false, vouched_buckets: [] },
  });
  expect(residency.regions).not.toContain('eu-west-2');
});

it.each([
  ['residency: { regions: [] }', /\/residency\/regions/],
  ['residency: { regions: [US East] }', /\/residency\/regions\/0: is not the name of a region/],
  ['residency: { hosts: ["*"] }', /\/residency\/hosts\/0/],
  ['residency: { hosts: ["*.com"] }', /\/residency\/hosts\/0: .*top-level/],
  ['residency: { hosts: ["https://s3.example.eu"] }', /\/residency\/hosts\/0: is neither/],
  ['residency: { loopback: 1 }', /\/residency\/loopback/],
  ['residency: { host: [a] }', /\/residency\/host: unknown key/],
])('refuses %s', async (residency, mistake) => {
  await write(residency);
  await expect(loadPolicy(dir)).rejects.toThrow(mistake);
});
