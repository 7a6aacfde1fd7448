import { z } from 'zod';
import { APPROVER_ROLES } from '../domain/approvals.ts';
import { EU_REGIONS } from '../domain/eu-regions.ts';
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
  /** Share of the signed rows that a publish may leave out of people who were suppressed since; 0.01 when absent. */
  max_newly_suppressed: share.optional(),
});

const region = z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'is not the name of a region');
const host = z
  .string()
  .regex(/^((\*\.)?[A-Za-z0-9_.-]+|[0-9a-fA-F:]+)$/, 'is neither a host name nor an address')
  .refine((name) => !/^\*\.[^.]*$/.test(name), 'leaves everything below a top-level domain in');

/** Where data may be; whatever is not named is refused. */
const residencySchema = z.strictObject({
  /** Regions of buckets and of S3_REGION. */
  regions: z
    .array(region)
    .min(1)
    .default([...EU_REGIONS]),
  /** Hosts of DATABASE_URL, REDIS_URL and S3_ENDPOINT: names, `*.` and the rest of a name, or addresses. */
  hosts: z.array(host).default([]),
  /** True where everything may run on this machine alone. */
  loopback: z.boolean().default(false),
  /** Buckets whose server cannot say where they are or what they are replicated to, checked by a person. */
  vouched_buckets: z.array(z.string().min(1)).default([]),
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
  approvals: z.strictObject({
    run: roles,
    publish: roles,
    /** Where a run of the same recipe elsewhere must have gone well before anything runs. */
    rehearsal: z
      .strictObject({
        default: z.boolean().default(false),
        sources: z.record(z.string().regex(SOURCE_NAME), z.boolean()).default({}),
      })
      .prefault({}),
    /** Who may decide about a conflict that was escalated. */
    escalation: roles.min(1).default([...APPROVER_ROLES]),
  }),
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
    /** Events that the importers of a batch, all together, may stage in a second; as fast as they can when absent. */
    import_events_per_second: z.int().min(1).max(10_000_000).optional(),
  }),
  privacy: privacyPolicySchema.prefault({}),
  kpi: z.strictObject({ time_zone: kpiTimeZone }),
  residency: residencySchema.prefault({}),
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

/** True when a batch of the source needs a rehearsal before its run. */
export function needsRehearsal({ approvals: { rehearsal } }: Policy, source: string): boolean {
  return rehearsal.sources[source] ?? rehearsal.default;
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
