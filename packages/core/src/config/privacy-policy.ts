import { z } from 'zod';
import { isCalendarDay } from '../domain/local-midnight.ts';

const keyPeriod = z.strictObject({
  version: z.int().min(1).max(999_999),
  /** First local day (of `kpi.time_zone`) whose events take this key; the period before ends with its midnight. */
  from: z.string().refine(isCalendarDay, 'is not a day like 2026-07-01').optional(),
});

const keyPeriods = z
  .array(keyPeriod)
  .min(1)
  .superRefine((periods, context) => {
    for (const [index, { version, from }] of periods.entries()) {
      const before = periods.slice(0, index);
      const add = (message: string): void => context.addIssue({ code: 'custom', path: [index], message });
      if (before.some((period) => period.version === version)) add(`names version ${version} twice`);
      if (index === 0 && from !== undefined) add('the first period reaches back for ever: it has no from');
      if (index > 0 && from === undefined) add('needs a from: only the first period has none');
      const previous = before.at(-1)?.from;
      if (previous !== undefined && from !== undefined && from <= previous) add('must begin after the one before it');
    }
  });

/** The block `privacy` of policy.yaml: which key makes the pseudonyms of which events. */
export const privacyPolicySchema = z.strictObject({
  /** How far after the plan's moment an event's time may lie, in minutes; what is later is quarantined. */
  future_skew_minutes: z.int().min(0).max(10_080).default(60),
  key_periods: keyPeriods.default([{ version: 1 }]),
});
