import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { loadConfigDir } from '@backfill/core/config/load-config';
import { ROLES } from '@backfill/core/domain/approvals';
import { addressFindings, bucketFindings } from '@backfill/core/residency/residency-findings';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeEnv } from './node-env.ts';
import { REPOSITORY_ROOT } from './repository.ts';

// What the images and infra/compose.yaml repeat of the rest of the repository, and what can be said of them without Docker.
const read = (file: string) => readFile(path.join(REPOSITORY_ROOT, file), 'utf8');

describe('the image', () => {
  it('has the pinned Node', async () => {
    const { devDependencies } = JSON.parse(await read('package.json')) as { devDependencies: { node: string } };
    expect(await read('infra/images/Dockerfile')).toContain(`ARG NODE_VERSION=${devDependencies.node}\n`);
  });

  it('installs what every package wants', async () => {
    const groups = await Promise.all(
      ['packages', 'services'].map(async (group) =>
        (await readdir(path.join(REPOSITORY_ROOT, group))).map((name) => `${group}/${name}`),
      ),
    );
    const dockerfile = await read('infra/images/Dockerfile');
    for (const folder of [...groups.flat(), 'infra', 'test']) {
      if (!existsSync(path.join(REPOSITORY_ROOT, folder, 'package.json'))) continue;
      expect(dockerfile).toContain(`COPY ${folder}/package.json ${folder}/\n`);
    }
  });

  it('gives its services the memory that they have in the embedded stack', async () => {
    expect(await read('infra/images/entrypoint.sh')).toContain(`NODE_OPTIONS="${nodeEnv({}).NODE_OPTIONS} `);
  });
});

describe('infra/compose/init.sh', () => {
  let dir: string;
  const init = () => promisify(execFile)(path.join(REPOSITORY_ROOT, 'infra/compose/init.sh'), [dir]);
  const secrets = async () => {
    const names = (await readdir(path.join(dir, 'secrets'))).sort();
    return Promise.all(names.map(async (name) => [name, await readFile(path.join(dir, 'secrets', name), 'utf8')]));
  };

  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'backfill-init-'));
    await init();
  });
  afterAll(() => rm(dir, { recursive: true }));

  it('makes every secret that the compose file names, for its owner alone', async () => {
    const named = [...(await read('infra/compose.yaml')).matchAll(/\/secrets\/([\w.-]+)"/g)].map(([, name]) => name);
    expect((await secrets()).map(([name]) => name)).toEqual([...new Set(named)].sort());
    expect(named).toEqual(expect.arrayContaining(ROLES.map((role) => `token-${role.replaceAll('_', '-')}`)));
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    expect((await stat(path.join(dir, 'secrets'))).mode & 0o777).toBe(0o700);
  });

  it('makes each secret another one, and none a second time', async () => {
    const first = await secrets();
    expect(new Set(first.map(([, value]) => value)).size).toBe(first.length);
    await init();
    expect(await secrets()).toEqual(first);
  });

  it('makes a configuration under which the services may use their neighbours, and nobody else', async () => {
    const { policy } = await loadConfigDir(path.join(dir, 'config'));
    const at = (host: string) => ({
      databaseUrl: `postgres://${host === 's3' ? 'postgres' : host}/backfill`,
      checkpointDatabaseUrl: undefined,
      redisUrl: `redis://${host === 's3' ? 'valkey' : host}:6379`,
      s3Endpoint: `http://${host}:7070`,
      s3Region: 'eu-central-1',
    });
    expect(addressFindings(at('s3'), policy.residency)).toEqual([]);
    expect(addressFindings(at('127.0.0.1'), policy.residency)).toHaveLength(3);
    const unknown = (bucket: string) => ({ bucket, place: { unknown: '?' }, replication: { unknown: '?' } });
    const buckets = ['analytics-raw', 'analytics-backfill', 'another'].map(unknown);
    const subjects = bucketFindings('http://s3:7070', buckets, policy.residency).map(({ subject }) => subject);
    expect(new Set(subjects)).toEqual(new Set(['bucket another']));
  });
});
