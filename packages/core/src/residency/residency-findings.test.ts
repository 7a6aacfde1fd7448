import { describe, expect, it } from 'vitest';
import { EU_REGIONS } from '../domain/eu-regions.ts';
import type { Addresses, BucketFacts } from './residency-facts.ts';
import { addressFindings, bucketFindings, formatResidencyFindings, type ResidencyRules } from './residency-findings.ts';

const RULES: ResidencyRules = {
  regions: EU_REGIONS,
  hosts: ['db.example.eu', 'redis.example.eu', 's3.example.eu'],
  loopback: false,
  vouched_buckets: [],
};
const ADDRESSES: Addresses = {
  databaseUrl: 'postgres://me:hunter2@db.example.eu/analytics',
  checkpointDatabaseUrl: 'postgres://me:hunter2@db.example.eu/keys',
  redisUrl: 'rediss://me:hunter2@redis.example.eu',
  s3Endpoint: 'https://s3.example.eu',
  s3Region: 'eu-central-1',
};
const LOCAL: Addresses = {
  databaseUrl: 'postgres://me:hunter2@127.0.0.1/analytics',
  checkpointDatabaseUrl: undefined,
  redisUrl: 'redis://me:hunter2@localhost',
  s3Endpoint: 'http://[::1]:9000',
  s3Region: 'eu-central-1',
};

describe('addressFindings', () => {
  it.each<[string, Partial<Addresses>, Partial<ResidencyRules>, string[]]>([
    ['everything on the list', {}, {}, []],
    ['a database elsewhere', { databaseUrl: 'postgres://db.example.com/a' }, {}, ['DATABASE_URL']],
    [
      'a database that a parameter moves',
      { databaseUrl: 'postgres://db.example.eu/a?host=x.test' },
      {},
      ['DATABASE_URL'],
    ],
    ['a database without a host', { databaseUrl: 'postgres:///a' }, {}, ['DATABASE_URL']],
    [
      'a dedup store elsewhere',
      { checkpointDatabaseUrl: 'postgres://db.example.com/keys' },
      {},
      ['CHECKPOINT_DATABASE_URL'],
    ],
    ['a queue elsewhere', { redisUrl: 'redis://redis.example.com' }, {}, ['REDIS_URL']],
    ['an object store elsewhere', { s3Endpoint: 'https://s3.amazonaws.com' }, {}, ['S3_ENDPOINT']],
    ['a region elsewhere', { s3Region: 'us-east-1' }, {}, ['S3_REGION']],
    ['London', { s3Region: 'eu-west-2' }, {}, ['S3_REGION']],
    ['Zurich', { s3Region: 'eu-central-2' }, {}, ['S3_REGION']],
    ['a region that the policy adds', { s3Region: 'fr-par' }, { regions: ['fr-par'] }, []],
    [
      'an empty list of hosts',
      {},
      { hosts: [] },
      ['DATABASE_URL', 'CHECKPOINT_DATABASE_URL', 'REDIS_URL', 'S3_ENDPOINT'],
    ],
    ['this machine, undeclared', LOCAL, {}, ['DATABASE_URL', 'REDIS_URL', 'S3_ENDPOINT']],
    ['this machine, declared', LOCAL, { loopback: true, hosts: [] }, []],
  ])('%s', (_name, addresses, rules, subjects) => {
    const findings = addressFindings({ ...ADDRESSES, ...addresses }, { ...RULES, ...rules });
    expect(findings.map((finding) => finding.subject)).toEqual(subjects);
  });

  it('names the setting to mend, and no secret', () => {
    const findings = addressFindings({ ...ADDRESSES, databaseUrl: 'postgres://me:hunter2@db.example.com/a' }, RULES);
    const [line] = formatResidencyFindings(findings);
    expect(line).toMatch(/^DATABASE_URL: .*db\.example\.com.* To mend it: .*hosts in residency of policy\.yaml/);
    expect(line).not.toContain('hunter2');
    expect(addressFindings(LOCAL, RULES)[0]?.remedy).toContain('loopback: true');
  });
});

describe('bucketFindings', () => {
  const frankfurt = { region: 'eu-central-1' };
  const silent = { unknown: 'the server does not name it' };
  const facts = (changes: Partial<BucketFacts>): BucketFacts => ({
    ...{ bucket: 'analytics-raw', place: frankfurt, replication: [] },
    ...changes,
  });
  const copiesTo = (place: BucketFacts['place']) => facts({ replication: [{ bucket: 'copy', place }] });
  const remote = 'https://s3.example.eu';
  const local = 'http://127.0.0.1:9000';
  const atHome = { loopback: true };
  const vouched = { vouched_buckets: ['analytics-raw'] };

  it.each<[string, string, BucketFacts, Partial<ResidencyRules>, RegExp[]]>([
    ['in the EU, not replicated', remote, facts({}), {}, []],
    ['in the USA', remote, facts({ place: { region: 'us-east-1' } }), {}, [/is in us-east-1/]],
    [
      'in the USA, by a server of this machine',
      local,
      facts({ place: { region: 'us-east-1' } }),
      atHome,
      [/us-east-1/],
    ],
    ['in the USA, vouched for', remote, facts({ place: { region: 'us-east-1' } }), vouched, [/is in us-east-1/]],
    ['nobody knows where', remote, facts({ place: silent }), {}, [/region is unknown: the server does not name it/]],
    ['nobody knows where, vouched for', remote, facts({ place: silent }), vouched, []],
    [
      'nobody knows where, another one vouched for',
      remote,
      facts({ bucket: 'x', place: silent }),
      vouched,
      [/unknown/],
    ],
    ['nobody knows where, on this machine', local, facts({ place: silent }), atHome, []],
    ['nobody knows where, this machine undeclared', local, facts({ place: silent }), {}, [/unknown/]],
    ['nobody knows where, elsewhere than this machine', remote, facts({ place: silent }), atHome, [/unknown/]],
    ['replication unknown', remote, facts({ replication: silent }), {}, [/whether it is replicated is unknown/]],
    ['replication unknown, vouched for', remote, facts({ replication: silent }), vouched, []],
    ['replication unknown, on this machine', local, facts({ replication: silent }), atHome, []],
    ['both unknown', remote, facts({ place: silent, replication: silent }), {}, [/region/, /replicated/]],
    ['replicated inside the EU', remote, copiesTo({ region: 'eu-west-1' }), {}, []],
    ['replicated to the USA', remote, copiesTo({ region: 'us-east-1' }), {}, [/bucket copy .* is in us-east-1/]],
    ['replicated to nobody knows where', remote, copiesTo(silent), {}, [/bucket copy, whose region is unknown/]],
    ['replicated to nobody knows where, vouched for', remote, copiesTo(silent), vouched, [/bucket copy/]],
    ['replicated to nobody knows where, on this machine', local, copiesTo(silent), atHome, [/bucket copy/]],
  ])('%s', (_name, endpoint, bucket, rules, problems) => {
    const findings = bucketFindings(endpoint, [bucket], { ...RULES, ...rules });
    expect(findings.map((finding) => finding.problem)).toEqual(
      problems.map((problem) => expect.stringMatching(problem)),
    );
    for (const { subject, remedy } of findings) {
      expect(subject).toBe(`bucket ${bucket.bucket}`);
      expect(remedy).toMatch(/\w/);
    }
  });
});
