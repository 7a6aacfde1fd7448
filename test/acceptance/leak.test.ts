import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiClient } from '../support/api-client.ts';
import { runBackfill } from '../support/cli.ts';
import { Planter } from '../support/leak/identifiers.ts';
import { createLeakConfig } from '../support/leak/leak-config.ts';
import {
  brokenLines,
  plantedAccessLog,
  plantedCloudfront,
  plantedCloudfrontJson,
  plantedCsv,
  plantedNames,
  plantedOldRecords,
  plantedRecords,
} from '../support/leak/planted-logs.ts';
import {
  dumpDatabase,
  dumpRedis,
  findLeaks,
  readBucket,
  readFolder,
  type Written,
} from '../support/leak/search-everything.ts';
import { type StackProcess, startStackProcess } from '../support/stack-process.ts';

// Identifiers that this test makes, planted everywhere; what the detectors think of them does not matter here.
const WINDOW = { start: '2026-11-01T00:00:00Z', end: '2026-11-02T00:00:00Z' };
const planter = new Planter();
const lines = (records: readonly (string | Buffer)[]) =>
  Buffer.concat(records.flatMap((record) => [Buffer.from(record), Buffer.from('\n')]));
const ndjson = plantedRecords(planter, 'ndjson');
const failing = plantedRecords(planter, 'failing');
const names = plantedNames(planter);
const FILES = {
  'leak-ndjson': {
    'a.ndjson': lines([...ndjson, ...brokenLines(planter, 'ndjson')]),
    'b.ndjson.gz': gzipSync(lines(plantedRecords(planter, 'gzip'))),
    'c.ndjson.zst': zstdCompressSync(lines(plantedRecords(planter, 'zstd'))),
  },
  'leak-json-concat': { 'a.json': plantedRecords(planter, 'json-concat').join('') },
  'leak-csv': { 'a.csv': plantedCsv(planter) },
  'leak-cloudfront': { 'a.log': plantedCloudfront(planter) },
  'leak-cloudfront-json': { 'a.json': plantedCloudfrontJson(planter) },
  'leak-upcast': { 'a.ndjson': plantedOldRecords(planter) },
  'leak-web': { 'access.log': plantedAccessLog(planter) },
  'leak-abroad-ndjson': {
    'a.ndjson': lines([...plantedRecords(planter, 'abroad'), ...brokenLines(planter, 'abroad')]),
    'b.ndjson.gz': gzipSync(lines(plantedRecords(planter, 'abroad, gzip'))),
  },
  'leak-abroad-csv': { 'a.csv': plantedCsv(planter) },
};

let configDir: string;
let outputDir: string;
let stack: StackProcess;
let api: ReturnType<typeof createApiClient>;
const answers: Written[] = [];
const commandLine: Written[] = [];

async function note(batchId: string): Promise<void> {
  const batch = await api.call('viewer', 'GET', `/v1/batches/${batchId}`);
  answers.push({ where: `the API about ${batchId}`, bytes: Buffer.from(JSON.stringify(batch)) });
}

async function runToGates(batchId: string, source: string, files: Record<string, Buffer | string>, end: string[]) {
  await api.upload(batchId, files);
  await api.submit(batchId, { source, window: WINDOW });
  const planned = await api.reach(batchId, 'awaiting_run_approval', ...end);
  if (planned.status === 'awaiting_run_approval') {
    await api.approveRun(batchId);
    await api.reach(batchId, 'awaiting_publish_approval', ...end);
  }
  await note(batchId);
}

async function publish(batchId: string): Promise<void> {
  await api.approvePublish(batchId);
  await api.operate(batchId, 'publish');
  await api.reach(batchId, 'published');
  await note(batchId);
}

/** Runs `backfill transform` and keeps everything it writes, on the terminal and into files. */
async function transform(code: number, args: string[]): Promise<void> {
  const where = `transform ${args.join(' ')}`;
  const folder = await mkdtemp(path.join(outputDir, 'run-'));
  const inFolder = args.map((arg) => (arg.endsWith('.ndjson') ? path.join(folder, arg) : arg));
  const result = await runBackfill(stack.stateDir, ['transform', ...inFolder]);
  if (result.code !== code) throw new Error(`${where}: ${result.code} ${result.err}`);
  commandLine.push({ where, bytes: Buffer.from(`${result.out}\n${result.err}`) });
  for (const name of await readdir(folder)) {
    commandLine.push({ where: `${name} of ${where}`, bytes: await readFile(path.join(folder, name)) });
  }
}

/** Transforms every batch again in every way that there is. */
async function transformEverything(): Promise<void> {
  const input = (batchId: string) => ['--input', `s3://analytics-raw/${batchId}/`];
  for (const batchId of Object.keys(FILES)) {
    const inputRun = transform(0, [...input(batchId), '--source', batchId, '--output', 'input.ndjson']);
    await transform(0, ['--replay', '--batch-id', batchId, '--output', 'replay.ndjson']);
    await inputRun;
  }
  await transform(0, ['--dry-run', '--batch-id', 'leak-ndjson']);
  await transform(0, ['--dry-run', '--batch-id', 'leak-csv', '--json']);
  await transform(1, [...input('leak-cut'), '--source', 'leak-ndjson', '--output', 'cut.ndjson']);
  await transform(1, [...input('leak-names'), '--source', 'leak-web', '--output', 'names.ndjson']);
}

beforeAll(async () => {
  outputDir = await mkdtemp(path.join(tmpdir(), 'backfill-leak-output-'));
  configDir = await createLeakConfig();
  stack = await startStackProcess({
    env: { BACKFILL_CONFIG_DIR: configDir, LOG_LEVEL: 'trace', TRANSFORMER_PART_LINES: '300' },
  });
  api = createApiClient(stack.env);
  for (const [source, files] of Object.entries(FILES)) {
    await runToGates(source, source, files, []);
    await publish(source);
  }
  const whole = gzipSync(lines(failing));
  await runToGates('leak-cut', 'leak-ndjson', { 'a.gz': whole.subarray(0, whole.length - 100) }, ['failed']);
  await runToGates('leak-twice', 'leak-ndjson', { 'a.ndjson': lines([...ndjson, ...ndjson]) }, ['gates_failed']);
  const named = Object.fromEntries(names.map((name) => [name, 'x\n']));
  await runToGates('leak-names', 'leak-web', { ...named, 'z.log': 'x\n' }, ['failed']);
  await transformEverything();
  await api.operate('leak-ndjson', 'rollback', { mode: 'tombstone' });
  await api.reach('leak-ndjson', 'rolled_back');
  await note('leak-ndjson');
}, 300_000);

afterAll(async () => {
  await stack.stop();
  for (const dir of [configDir, outputDir]) await rm(dir, { recursive: true, force: true });
}, 60_000);

function unpacked(name: string, bytes: Buffer): Buffer {
  if (name.endsWith('.zst')) return zstdDecompressSync(bytes);
  return name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}

it('has planted enough, and finds all of it where it was planted', () => {
  const { planted } = planter;
  expect(planted.length).toBeGreaterThan(1_000);
  expect(new Set(planted.map(({ text }) => text)).size).toBe(planted.length);
  const raw = [
    ...Object.values(FILES).flatMap((files) => Object.entries(files)),
    ['failing', lines(failing)] as const,
    ['names', names.join('\n')] as const,
  ];
  const written = raw.map(([where, bytes]) => ({ where, bytes: unpacked(where, Buffer.from(bytes)) }));
  expect(findLeaks(planted, written).length).toBe(planted.length);
});

it('has stored events, not only refused lines', async () => {
  for (const batchId of Object.keys(FILES)) {
    const { balance } = await api.get(batchId);
    expect([batchId, (balance.inserted ?? 0) > 60, (balance.quarantined ?? 0) > 9]).toEqual([batchId, true, true]);
  }
});

describe('no identifier is found', () => {
  const search = (written: readonly Written[]) => {
    expect(written.length).toBeGreaterThan(0);
    return findLeaks(planter.planted, written);
  };

  it('in any table of PostgreSQL', async () => {
    expect(search(await dumpDatabase(stack))).toEqual([]);
    // A psql for each of them.
  }, 180_000);

  it('in Redis or its files', async () => {
    expect(search([...(await dumpRedis(stack)), ...(await readFolder(stack, 'redis'))])).toEqual([]);
  });

  it('in any object but the raw input and the mirror of what is in the EU', async () => {
    const isMirror = ({ where }: Written) =>
      /^s3:\/\/analytics-backfill\/raw\/(?!leak-abroad|.*\/manifest\.json$)/.test(where);
    const archive = await readBucket(stack, 'analytics-backfill');
    expect(search(archive.filter((object) => !isMirror(object)))).toEqual([]);
    expect(archive.filter(isMirror).length).toBeGreaterThan(3);
    expect(archive.filter(({ where }) => where.includes('/raw/leak-abroad')).length).toBe(5);
  });

  it('in any log', async () => {
    const logs = await readFolder(stack, 'logs');
    expect(search(logs)).toEqual([]);
    // The services' logs, and what the lines of a batch's way are bound to.
    const services = logs.filter(({ where }) => /(api|transformer|importer|verifier|rollback)-1\.log$/.test(where));
    expect(services).toHaveLength(5);
    const written = services.flatMap(({ bytes }) => bytes.toString().trimEnd().split('\n'));
    const lines = written.map((line) => JSON.parse(line) as { msg: string });
    const job = { queue: expect.any(String), jobId: expect.any(String), attempt: expect.any(Number) };
    const batch = expect.stringMatching(/^leak-/);
    const said = (msg: string) => expect.objectContaining({ msg, batch });
    const done = (msg: string, ids: object = {}) => expect.objectContaining({ msg, batch, ...job, ...ids });
    expect(lines).toEqual(
      expect.arrayContaining([
        said('batch submitted'),
        said('approval decided'),
        said('batch moved'),
        done('batch planned'),
        done('batch mirrored'),
        done('chunk transformed', { chunk: expect.any(Number) }),
        done('canary checked'),
        done('part imported', { part: expect.any(Number) }),
        done('batch verified'),
        done('batch published'),
      ]),
    );
    for (const line of lines.filter(({ msg }) => msg === 'part imported')) {
      expect(line).toEqual(done('part imported', { part: expect.any(Number) }));
    }
  });

  it('in what the command line writes', () => {
    const bytes = commandLine.reduce((sum, written) => sum + written.bytes.length, 0);
    expect([commandLine.length > 30, bytes > 500_000]).toEqual([true, true]);
    expect(search(commandLine)).toEqual([]);
  });

  it('in any answer, report or metric', async () => {
    for (const batchId of Object.keys(FILES)) {
      const report = await api.call('viewer', 'GET', `/v1/batches/${batchId}/report.json`);
      answers.push({ where: `the report of ${batchId}`, bytes: Buffer.from(JSON.stringify(report)) });
    }
    for (const [name, url] of Object.entries(stack.env)) {
      if (!/^BACKFILL_.*_URL$/.test(name)) continue;
      answers.push({ where: name, bytes: Buffer.from(await (await fetch(`${url}/metrics`)).arrayBuffer()) });
    }
    expect(search(answers)).toEqual([]);
  });
});
