import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../run-cli.ts';

const EXAMPLE = path.join(import.meta.dirname, '../../../../examples/config');
const PAGE_VIEWED = 'taxonomy/events/page_viewed/1-0-0.schema.json';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'backfill-taxonomy-'));
  await cp(EXAMPLE, dir, { recursive: true });
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

async function run(...args: string[]) {
  const printed = { out: '', err: '' };
  const code = await runCli(['taxonomy', ...args], {
    env: { BACKFILL_CONFIG_DIR: dir },
    stdout: { write: (text) => (printed.out += text) },
    stderr: { write: (text) => (printed.err += text) },
    signal: new AbortController().signal,
  });
  return { code, ...printed };
}

async function edit(file: string, from: string, to: string): Promise<void> {
  const text = await readFile(path.join(dir, file), 'utf8');
  expect(text).toContain(from);
  await writeFile(path.join(dir, file), text.replace(from, to));
}

describe('taxonomy lint', () => {
  it('finds nothing wrong with the examples, which are all published', async () => {
    const { code, out } = await run('lint');
    expect([code, out]).toEqual([0, expect.stringMatching(/nothing wrong\.\n$/)]);
  });

  it('lists every violation with file and path', async () => {
    await edit(PAGE_VIEWED, '"x-pii": "url"', '"x-pii": "secret"');
    await edit('taxonomy/events/feature_used/1-0-0.schema.json', '"minimum": 0,', '');
    const { code, out, err } = await run('lint');
    expect(code).toBe(1);
    expect(out).toContain(`${PAGE_VIEWED} /properties/path/x-pii: must be one of`);
    expect(out).toContain('taxonomy/events/feature_used/1-0-0.schema.json /properties/duration_ms/minimum: ');
    expect(err).toBe('2 violations.\n');
    const { violations } = JSON.parse((await run('lint', '--json')).out);
    expect(violations).toHaveLength(2);
    expect(violations[0]).toEqual({ file: expect.any(String), path: expect.any(String), message: expect.any(String) });
  });

  it('refuses a published schema that changed or is gone, but not one that was formatted', async () => {
    const file = path.join(dir, PAGE_VIEWED);
    const schema = await readFile(file, 'utf8');
    await writeFile(file, JSON.stringify(JSON.parse(schema)));
    expect((await run('lint')).code).toBe(0);
    await edit(PAGE_VIEWED, '"maxLength":64', '"maxLength":65');
    expect((await run('lint')).out).toBe(`${PAGE_VIEWED}: is published and cannot change: make a new version\n`);
    expect((await run('publish')).code).toBe(1);
    await rm(file);
    expect((await run('lint')).out).toBe(`${PAGE_VIEWED}: is published and cannot be removed\n`);
  });

  it('refuses a lock file that it cannot read', async () => {
    await writeFile(path.join(dir, 'taxonomy/published.json'), '{"version": 1, "schemas": {"a/1-0-0": "x"}}');
    expect((await run('lint')).out).toMatch(/^taxonomy\/published\.json \/schemas\/a\/1-0-0: /);
  });

  it('wants a directory', async () => {
    expect((await run('lint', '--config', path.join(dir, 'nowhere'))).code).toBe(2);
  });
});

describe('taxonomy publish', () => {
  it('locks new schemas', async () => {
    const next = PAGE_VIEWED.replace('1-0-0', '1-0-1');
    await cp(path.join(dir, PAGE_VIEWED), path.join(dir, next));
    expect((await run('lint')).out).toContain('Not published yet: page_viewed/1-0-1.');
    expect(await run('publish')).toMatchObject({ code: 0, out: 'Published page_viewed/1-0-1.\n' });
    await edit(next, '"maxLength": 64', '"maxLength": 65');
    expect((await run('lint')).out).toContain(`${next}: is published`);
  });
});

describe('taxonomy docs', () => {
  it('writes a page', async () => {
    const output = path.join(dir, 'new/taxonomy.md');
    expect(await run('docs', '--output', output)).toMatchObject({ code: 0, out: `Wrote ${output}\n` });
    expect(await readFile(output, 'utf8')).toBe((await run('docs', '--output', '-')).out);
  });

  it('lists what is wrong with the configuration', async () => {
    await edit('sources/app.yaml', 'page_viewed: 1-0-0', 'page_viewed: 9-0-0');
    const { code, err } = await run('docs', '--output', '-');
    expect([code, err]).toEqual([1, expect.stringContaining('sources/app.yaml /events/page_viewed')]);
  });
});

describe('taxonomy validate', () => {
  it('lists every violation with its line, in a stream', async () => {
    const file = path.join(dir, 'events.ndjson');
    await writeFile(file, Buffer.concat([Buffer.from('{}\nno json\n'), Buffer.from([0xff, 0x0a])]));
    const { code, out, err } = await run('validate', file);
    expect(code).toBe(1);
    expect(out).toContain(`${file}:1 /event_id: is missing\n`);
    expect(out).toContain(`${file}:2 /: is not JSON\n`);
    expect(out).toContain(`${file}:3 /: is not UTF-8\n`);
    expect(err).toBe('12 violations in 3 lines.\n');
    const { violations, lines } = JSON.parse((await run('validate', file, '--json')).out);
    expect([violations.length, lines]).toEqual([12, 3]);
  });

  it('accepts an empty file and refuses a missing one', async () => {
    const file = path.join(dir, 'empty.ndjson');
    await writeFile(file, '');
    expect(await run('validate', file)).toMatchObject({ code: 0, out: '0 lines: nothing wrong.\n' });
    expect(JSON.parse((await run('validate', file, '--json')).out)).toEqual({ violations: [], lines: 0 });
    expect((await run('validate', path.join(dir, 'nowhere'))).code).toBe(2);
    expect((await run('validate', dir)).code).toBe(2);
  });
});
