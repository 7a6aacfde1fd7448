import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { readEnvironment } from '@backfill/core/config/environment';
import { createRuntime } from '@backfill/core/runtime/runtime';
import { createImporterService } from '@backfill/importer/service';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { ACCESS_WINDOW, accessLog } from '../support/access-log.ts';
import { runCommandLine } from '../support/command-line.ts';
import { type LyingS3, replicatedTo, startLyingS3 } from '../support/lying-s3.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

let s3: LyingS3;
let elsewhere: LyingS3;
let pipeline: Pipeline;
let raw: string;
beforeAll(async () => {
  const real = inject('servers').S3_ENDPOINT ?? '';
  s3 = await startLyingS3(real);
  elsewhere = await startLyingS3(real);
  pipeline = await startPipeline({ env: { S3_ENDPOINT: s3.endpoint } });
  raw = pipeline.runtime.config.storage.rawBucket;
});
afterAll(async () => {
  await pipeline.dispose();
  await s3.close();
  await elsewhere.close();
});
beforeEach(() => {
  s3.lie = () => undefined;
});

const inUsa = { status: 200, headers: { 'x-amz-bucket-region': 'us-east-1' } };

/** Starts an importer as a service would, and tells why it did not; stops it again. */
async function start(env: Record<string, string> = {}): Promise<string> {
  const runtime = createRuntime(readEnvironment('importer', { ...pipeline.env, ...env }));
  const service = createImporterService(runtime);
  const reason = await service.start().then(
    () => 'started',
    (error: Error) => error.message,
  );
  const refusals = await runtime.metrics.registry.getSingleMetricAsString('backfill_residency_refusals_total');
  await service.stop();
  return reason === 'started' ? reason : `${reason}\n${refusals}`;
}

async function run(batchId: string) {
  await pipeline.upload(batchId, { 'a.log': accessLog(0, 20) });
  await pipeline.submit({ batchId, source: 'web-access', window: ACCESS_WINDOW });
  return pipeline.rest(batchId);
}

describe('a service does not start', () => {
  it('unless everything is in order', async () => {
    expect(await start()).toBe('started');
  });

  it('when a bucket is said to be in another region, by whomever', async () => {
    s3.lie = ({ method, bucket, key }) => (method === 'HEAD' && bucket === raw && key === '' ? inUsa : undefined);
    const reason = await start();
    expect(reason).toMatch(new RegExp(`bucket ${raw}: it is in us-east-1.*To mend it: .*regions in residency`));
    expect(reason).toMatch(/^backfill_residency_refusals_total 1$/m);
  });

  it('when a bucket is elsewhere and the server only redirects there', async () => {
    s3.lie = ({ method, bucket, key }) =>
      method === 'HEAD' && bucket === raw && key === '' ? { ...inUsa, status: 301 } : undefined;
    expect(await start()).toMatch(/it is in us-east-1/);
  });

  it('when a bucket is replicated out of the EU, or to where nobody knows', async () => {
    s3.lie = ({ method, bucket, query }) => {
      if (query.has('replication') && bucket === raw) return replicatedTo('the-copy');
      return bucket === 'the-copy' && method === 'HEAD' ? inUsa : undefined;
    };
    expect(await start()).toMatch(/bucket the-copy that it is replicated to is in us-east-1.*take the replication/);
    s3.lie = ({ bucket, query }) => (query.has('replication') && bucket === raw ? replicatedTo('nowhere') : undefined);
    expect(await start()).toMatch(/replicated to the bucket nowhere, whose region is unknown: there is no such bucket/);
  });

  it('on this machine without leave, and asks no server anything', async () => {
    await pipeline.config.editPolicy((policy) => {
      policy.residency.loopback = false;
    });
    const before = s3.requests.length;
    const reason = await start();
    await pipeline.config.editPolicy((policy) => {
      policy.residency.loopback = true;
    });
    for (const setting of ['DATABASE_URL', 'REDIS_URL', 'S3_ENDPOINT']) expect(reason).toContain(`${setting}: `);
    expect(reason).toContain('loopback: true');
    expect(s3.requests.length).toBe(before);
  });

  it('with a region that is not on the list', async () => {
    expect(await start({ S3_REGION: 'us-east-1' })).toMatch(/^S3_REGION: the region us-east-1 .*set S3_REGION to one/m);
  });

  it('and says so in one line of its log, as a process', async () => {
    const main = path.join(import.meta.dirname, '../../services/importer/src/main.ts');
    const env = { ...process.env, ...pipeline.env, S3_REGION: 'us-east-1', LOG_LEVEL: 'info' };
    const ended = promisify(execFile)(process.execPath, [main], { env });
    const { code, stdout } = await ended.then(
      () => ({ code: 0, stdout: '' }),
      (error: { code: number; stdout: string }) => error,
    );
    expect(code).toBe(1);
    const failed = stdout.split('\n').filter((line) => line.includes('service failed'));
    expect(failed).toEqual([expect.stringContaining('S3_REGION: the region us-east-1')]);
  });
});

describe('backfill doctor', () => {
  it('explains every finding, with what mends it', async () => {
    s3.lie = ({ method, bucket, key }) => (method === 'HEAD' && bucket === raw && key === '' ? inUsa : undefined);
    const env = { ...pipeline.env, S3_REGION: 'us-east-1' };
    const told = await runCommandLine(['doctor'], env);
    expect(told.code).toBe(1);
    expect(told.stdout).toMatch(/^residency: 2 findings$/m);
    expect(told.stdout).toMatch(/S3_REGION: the region us-east-1 .*\n +To mend it: set S3_REGION to one of/);
    expect(told.stdout).toMatch(/bucket raw-\w+: it is in us-east-1.*\n +To mend it: /);
    const { stdout } = await runCommandLine(['doctor', '--json'], env);
    const { checks } = JSON.parse(stdout) as { checks: object[] };
    expect(checks[0]).toMatchObject({
      ...{ check: 'residency', passed: false },
      findings: [{ subject: 'S3_REGION' }, { subject: `bucket ${raw}` }],
    });
  });

  it('says so when nobody answers', async () => {
    const { code, stdout } = await runCommandLine(['doctor'], { ...pipeline.env, S3_ENDPOINT: 'http://127.0.0.1:1' });
    expect([code, stdout]).toEqual([1, expect.stringMatching(/S3_ENDPOINT: the object store cannot be reached/)]);
  });
});

describe('a batch fails with the finding', () => {
  it('when a bucket has moved since the start', async () => {
    s3.lie = ({ method, bucket, key }) => (method === 'HEAD' && bucket === raw && key === '' ? inUsa : undefined);
    const batch = await run('moved');
    expect([batch.status, batch.status_reason]).toEqual(['failed', expect.stringMatching(/it is in us-east-1/)]);
    expect(s3.requests.filter((request) => request.startsWith(`GET /${raw}/moved/`))).toEqual([]);
  });

  it('when replication is turned on between the plan and the mirror', async () => {
    await pipeline.config.editPolicy((policy) => {
      policy.approvals.run = ['product_owner'];
    });
    const planned = await run('copied');
    expect(planned.status).toBe('awaiting_run_approval');
    s3.lie = ({ bucket, query }) => (query.has('replication') && bucket === raw ? replicatedTo('nowhere') : undefined);
    await pipeline.config.editPolicy((policy) => {
      policy.approvals.run = [];
    });
    await pipeline.change('copied', 'awaiting_run_approval', 'preparing');
    const batch = await pipeline.rest('copied', ['failed']);
    expect(batch.status_reason).toMatch(/replicated to the bucket nowhere/);
    expect(s3.requests.filter((request) => /^(PUT|POST) .*\/raw\/copied\//.test(request))).toEqual([]);
  });

  it('when the server redirects a request to another one, which gets none', async () => {
    s3.lie = ({ method, key }) =>
      method === 'GET' && key.startsWith('sent-away/')
        ? { status: 307, headers: { location: `${elsewhere.endpoint}/${raw}/${key}` } }
        : undefined;
    const batch = await run('sent-away');
    expect([batch.status, batch.status_reason]).toEqual([
      'failed',
      expect.stringMatching(/redirects to another server/),
    ]);
    expect(elsewhere.requests).toEqual([]);
  });
});
