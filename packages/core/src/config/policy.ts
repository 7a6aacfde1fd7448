import { z } from 'zod';
import { APPROVER_ROLES } from '../domain/approvals.ts';
import { EU_REGIONS } from '../domain/eu-regions.ts';
import { SOURCE_NAME } from '../domain/source-name.ts';
import { MAX_WINDOW_DAYS } from '../domain/submission.ts';
import { kpiPolicySchema } from './kpi-policy.ts';
import { privacyPolicySchema } from './privacy-policy.ts';

const share = z.number().min(0).max(1);
const roles = z
  .array(z.enum(APPROVER_ROLES))
  .refine((list) => new Set(list).size === list.length, 'names a role twice');

/** Every threshold, none with a default: what a source leaves out is taken from the default of all. */
const thresholds = {
  /** Largest share of duplicates in the staged rows. */
  duplicate_ratio: share,
  /** Share of staged rows that another batch or live ingestion may also have delivered. */
  max_overlap: share,
  /** Smallest share of staged rows that satisfy their schema. */
  schema: share,
  /** Share of the signed rows that a publish may leave out of people who were suppressed since; 0.01 when absent. */
  max_newly_suppressed: share.optional(),
  /** Share of the expected events that may be missing without an explanation, or too many. */
  volume: share,
  /** How long before the window's end the latest event may lie. */
  freshness_minutes: z
    .number()
    .min(0)
    .max(MAX_WINDOW_DAYS * 1_440),
  /** How long after the go readers must see the events at the latest. */
  visible_minutes: z
    .number()
    .min(0)
    .max(MAX_WINDOW_DAYS * 1_440),
  /** Events that the sample has at most, where types and files are many; 60 when absent. It has twenty, where there are. */
  max_sample_events: z.int().min(20).max(1_000).optional(),
  /** How far a day's sessions may be from their baseline, as a share of it. */
  daily_active_sessions: z.number().min(0).max(10),
  /** How far a cohort's conversion may be from its baseline: 0.005 is half a percentage point. */
  activation_conversion: share,
};

const gatesSchema = z.strictObject({
  ...thresholds,
  volume: thresholds.volume.default(0.02),
  freshness_minutes: thresholds.freshness_minutes.default(30),
  visible_minutes: thresholds.visible_minutes.default(30),
  daily_active_sessions: thresholds.daily_active_sessions.default(0.015),
  activation_conversion: thresholds.activation_conversion.default(0.005),
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

/** `policy.yaml`. */
export const policySchema = z.strictObject({
  version: z.literal(1),
  gates: z.strictObject({
    default: gatesSchema,
    sources: z.record(z.string().regex(SOURCE_NAME), z.strictObject(thresholds).partial()).default({}),
  }),
  /** The roles that must all say yes; an empty list asks for no approval, and lets nobody override. */
  approvals: z.strictObject({
    run: roles,
    publish: roles,
    override: roles.default(['product_analytics_manager']),
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
  kpi: kpiPolicySchema,
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
