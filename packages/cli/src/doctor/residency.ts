import type { Finding } from '@backfill/core/domain/finding';
import { describeReason, isDependencyUnavailable } from '@backfill/core/errors';
import { findResidencyProblems } from '@backfill/core/runtime/check-residency';
import type { DoctorTools, Need } from './check.ts';

/** Whether everything is where the policy lets data be; and what must not, or cannot, be talked to. */
export async function findResidency({
  config,
  store,
  policy,
}: DoctorTools): Promise<{ findings: Finding[]; barred: Need[] }> {
  try {
    const findings = await findResidencyProblems(config, store, policy.residency);
    return { findings, barred: barredBy(findings) };
  } catch (error) {
    if (!isDependencyUnavailable(error)) throw error;
    const problem = `the object store cannot be reached, so nobody can say where its buckets are (${describeReason(error)})`;
    const remedy = 'start it (npm start), or point S3_ENDPOINT to where it is';
    return { findings: [{ subject: 'S3_ENDPOINT', problem, remedy }], barred: ['store'] };
  }
}

/** Nothing is sent to a place that is not allowed. */
function barredBy(findings: readonly Finding[]): Need[] {
  const isAbout = (name: string): boolean => findings.some(({ subject }) => subject.endsWith(name));
  return [
    ...(isAbout('DATABASE_URL') ? (['database'] as const) : []),
    ...(isAbout('REDIS_URL') ? (['redis'] as const) : []),
    ...(isAbout('S3_ENDPOINT') ? (['store'] as const) : []),
  ];
}
