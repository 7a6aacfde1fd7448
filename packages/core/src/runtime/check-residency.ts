import type { ServiceConfig } from '../config/environment.ts';
import { loadPolicy } from '../config/load-policy.ts';
import type { Policy } from '../config/policy.ts';
import { ResidencyError } from '../residency/residency-error.ts';
import type { ResidencyFinding } from '../residency/residency-facts.ts';
import { addressFindings, bucketFindings } from '../residency/residency-findings.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { Runtime } from './runtime.ts';

/** What a preflight looks at. */
export type ResidencySubject = Pick<ServiceConfig, 'databaseUrl' | 'checkpointDatabaseUrl' | 'redisUrl' | 'storage'>;

/**
 * Looks at everything the residency policy has a say in: first the addresses, and only if those are in order the
 * buckets, so that nothing is sent to a server that is not allowed.
 *
 * @param buckets besides the raw and the archive bucket: a batch's input.
 * @returns every finding with its remedy; none when all is well.
 * @throws what the S3 client throws when the server cannot be reached.
 */
export async function findResidencyProblems(
  subject: ResidencySubject,
  store: ObjectStore,
  rules: Policy['residency'],
  buckets: readonly string[] = [],
): Promise<ResidencyFinding[]> {
  const { databaseUrl, checkpointDatabaseUrl, redisUrl, storage } = subject;
  const databases = { databaseUrl, checkpointDatabaseUrl };
  const addresses = { ...databases, redisUrl, s3Endpoint: storage.endpoint, s3Region: storage.region };
  const findings = addressFindings(addresses, rules);
  if (findings.some((finding) => finding.subject === 'S3_ENDPOINT')) return findings;
  const names = new Set([storage.rawBucket, storage.archiveBucket, ...buckets]);
  const facts = await Promise.all([...names].map((bucket) => store.inspectBucket(bucket)));
  return [...findings, ...bucketFindings(storage.endpoint, facts, rules)];
}

/**
 * The preflight of a service's start and of every batch: reads the policy as it is now and refuses to go on with
 * anything outside of it.
 *
 * @param buckets besides the service's own: a batch's input.
 * @throws {ResidencyError} with every finding; counted in `backfill_residency_refusals_total`.
 */
export async function requireResidency(
  runtime: Pick<Runtime, 'config' | 'logger' | 'metrics' | 'store'>,
  buckets: readonly string[] = [],
): Promise<void> {
  const { config, logger, metrics, store } = runtime;
  const { residency } = await loadPolicy(config.configDir);
  const findings = await findResidencyProblems(config, store, residency, buckets);
  if (findings.length === 0) return;
  metrics.residencyRefusals.inc();
  logger.error({ findings }, 'refused by the residency policy');
  throw new ResidencyError(findings);
}
