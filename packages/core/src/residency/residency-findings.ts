import { type HostRules, hostsOf, isHostAllowed, isLoopback } from './host-rules.ts';
import type { Addresses, BucketFacts, Place, ResidencyFinding } from './residency-facts.ts';

/** `residency` of policy.yaml: where data may be. Everything that it does not name is refused. */
export interface ResidencyRules extends HostRules {
  readonly regions: readonly string[];
  /** Buckets of which a person says that they are in the EU and are not replicated, where their server cannot say. */
  readonly vouched_buckets: readonly string[];
}

const POLICY = 'residency of policy.yaml';

function hostFinding(subject: string, host: string): ResidencyFinding {
  if (isLoopback(host)) {
    return {
      subject,
      problem: `${host} is this machine, which the policy does not declare as a place for data`,
      remedy: `point ${subject} to a server in the EU; for a stack on one machine set loopback: true in ${POLICY}`,
    };
  }
  return {
    subject,
    problem: `the host ${host} is not on the list of those known to be in the EU`,
    remedy: `if it is, add ${host} to hosts in ${POLICY}; else point ${subject} to one that is`,
  };
}

/**
 * The first ring: what the environment names, judged by the policy alone, before any connection is made. Pure.
 *
 * @returns one finding per address that is not allowed or names no host, and one for a region off the list.
 */
export function addressFindings(addresses: Addresses, rules: ResidencyRules): ResidencyFinding[] {
  const findings: ResidencyFinding[] = [];
  const named = [
    ['DATABASE_URL', addresses.databaseUrl],
    ['CHECKPOINT_DATABASE_URL', addresses.checkpointDatabaseUrl],
    ['REDIS_URL', addresses.redisUrl],
    ['S3_ENDPOINT', addresses.s3Endpoint],
  ] as const;
  for (const [setting, address] of named) {
    if (address === undefined) continue;
    const hosts = hostsOf(address);
    if (hosts.length === 0) {
      const problem = 'it names no host, so the client would choose one by itself';
      findings.push({ subject: setting, problem, remedy: `write the host into ${setting}` });
    }
    const refused = hosts.filter((host) => !isHostAllowed(host, rules));
    findings.push(...refused.map((host) => hostFinding(setting, host)));
  }
  if (!rules.regions.includes(addresses.s3Region)) {
    findings.push({
      subject: 'S3_REGION',
      problem: `the region ${addresses.s3Region} is not on the list of those in the EU`,
      remedy: `set S3_REGION to one of ${rules.regions.join(', ')}, or add it to regions in ${POLICY}`,
    });
  }
  return findings;
}

function regionFinding(subject: string, what: string, region: string): ResidencyFinding {
  return {
    subject,
    problem: `${what} is in ${region}, which is not on the list of regions in the EU`,
    remedy: `move the data to a bucket in the EU; only if ${region} is there, add it to regions in ${POLICY}`,
  };
}

function placeFinding(subject: string, place: Place, { rules, isTrusted }: Judge): ResidencyFinding | undefined {
  if ('region' in place) {
    return rules.regions.includes(place.region) ? undefined : regionFinding(subject, 'it', place.region);
  }
  if (isTrusted) return undefined;
  return {
    subject,
    problem: `its region is unknown: ${place.unknown}`,
    remedy: `allow s3:ListBucket to the service's key; where the server knows no regions, check the bucket's place and add it to vouched_buckets in ${POLICY}`,
  };
}

interface Judge {
  rules: ResidencyRules;
  /** True where silence is no refusal: on this machine, or for a bucket that somebody vouches for. */
  isTrusted: boolean;
}

function replicationFindings(subject: string, facts: BucketFacts, { rules, isTrusted }: Judge): ResidencyFinding[] {
  const { replication } = facts;
  if (!Array.isArray(replication)) {
    if (isTrusted) return [];
    const remedy = `allow s3:GetReplicationConfiguration to the service's key; where the server knows no replication, add the bucket to vouched_buckets in ${POLICY}`;
    return [{ subject, problem: `whether it is replicated is unknown: ${replication.unknown}`, remedy }];
  }
  return replication.flatMap(({ bucket, place }) => {
    if ('unknown' in place) {
      const problem = `it is replicated to the bucket ${bucket}, whose region is unknown: ${place.unknown}`;
      const remedy = `allow s3:ListBucket on ${bucket} to the service's key, or take the replication rule away`;
      return [{ subject, problem, remedy }];
    }
    if (rules.regions.includes(place.region)) return [];
    const finding = regionFinding(subject, `the bucket ${bucket} that it is replicated to`, place.region);
    return [{ ...finding, remedy: 'take the replication rule away, or replicate to a bucket in the EU' }];
  });
}

/**
 * The second ring: what the object store says about the buckets. A region that is reported counts, wherever the server
 * is; a region that is not reported is a finding, except from this machine, if the policy allows that, and for buckets
 * that the policy vouches for. A replication target is never vouched for. Pure.
 */
export function bucketFindings(
  s3Endpoint: string,
  buckets: readonly BucketFacts[],
  rules: ResidencyRules,
): ResidencyFinding[] {
  const isLocal = rules.loopback && hostsOf(s3Endpoint).every(isLoopback);
  return buckets.flatMap((facts) => {
    const subject = `bucket ${facts.bucket}`;
    const judge = { rules, isTrusted: isLocal || rules.vouched_buckets.includes(facts.bucket) };
    const place = placeFinding(subject, facts.place, judge);
    return [...(place === undefined ? [] : [place]), ...replicationFindings(subject, facts, judge)];
  });
}

/** Findings as text, one line each, with their remedies. */
export function formatResidencyFindings(findings: readonly ResidencyFinding[]): string[] {
  return findings.map(({ subject, problem, remedy }) => `${subject}: ${problem}. To mend it: ${remedy}.`);
}
