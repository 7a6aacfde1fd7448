import { z } from 'zod';
import { APPROVER_ROLES } from '../domain/approvals.ts';
import { SOURCE_NAME } from '../domain/source-name.ts';
import { privacyPolicySchema } from './privacy-policy.ts';

const share = z.number().min(0).max(1);
const roles = z
  .array(z.enum(APPROVER_ROLES))
  .refine((list) => new Set(list).size === list.length, 'names a role twice');

const gatesSchema = z.strictObject({
  /** Largest share of duplicates in the staged rows. */
  duplicate_ratio: share,
  /** Share of staged rows that another batch or live ingestion may also have delivered. */
  max_overlap: share,
  /** Smallest share of staged rows that satisfy their schema. */
  schema: share,
});

const kpiTimeZone = z.string().refine(isTimeZone, 'is not a time zone of the IANA database');

/** `policy.yaml`. */
export const policySchema = z.strictObject({
  version: z.literal(1),
  gates: z.strictObject({
    default: gatesSchema,
    sources: z.record(z.string().regex(SOURCE_NAME), gatesSchema.partial()).default({}),
  }),
  /** The roles that must all say yes; an empty list asks for no approval. */
  approvals: z.strictObject({ run: roles, publish: roles }),
  retention: z.strictObject({
    raw_days: z.int().min(1).max(36_500),
    event_months: z.int().min(1).max(1_200),
    staging_hours: z.int().min(1).max(8_760),
  }),
  limits: z.strictObject({
    max_batch_rows: z.int().min(1).max(1_000_000_000),
    max_line_bytes: z
      .int()
      .min(64)
      .max(64 * 1024 * 1024),
  }),
  privacy: privacyPolicySchema.prefault({}),
  kpi: z.strictObject({ time_zone: kpiTimeZone }),
});

export type Policy = z.infer<typeof policySchema>;

/** The thresholds of one source. */
export type GateThresholds = z.infer<typeof gatesSchema>;

/** The thresholds that hold for a source: its own ones over the default. */
export function gateThresholds(policy: Policy, source: string): GateThresholds {
  const own = Object.entries(policy.gates.sources[source] ?? {});
  const given = own.filter(([, threshold]) => threshold !== undefined);
  return { ...policy.gates.default, ...Object.fromEntries(given) };
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
