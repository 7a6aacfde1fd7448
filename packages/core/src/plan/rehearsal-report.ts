import { z } from 'zod';

/** The part of a `report.json` that a rehearsal is judged by. */
const Report = z.object({
  version: z.literal(2),
  batch_id: z.string().min(1),
  status: z.string(),
  recipe_hash: z.string().regex(/^[0-9a-f]{64}$/),
  gate_set_hash: z.string().regex(/^[0-9a-f]{64}$/),
  gates: z.array(z.object({ gate: z.string(), passed: z.boolean() })),
  audit_head: z.object({ chain_no: z.number(), mac: z.string() }).nullish(),
});
export type RehearsalReport = z.infer<typeof Report>;

/** Reads a report.json; undefined when it is none of ours, or not of a verification. */
export function readRehearsalReport(text: string): RehearsalReport | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return undefined;
  }
  return Report.safeParse(document).data;
}

/** Ends of a run that went wrong, whatever its gates say. */
const BAD_ENDS = ['gates_failed', 'halted', 'failed'];

/** Why a run is no rehearsal that went well; undefined when it is one. */
export function rehearsalProblem(report: RehearsalReport): string | undefined {
  if (report.gates.length === 0) return 'it has measured no gate';
  const failed = report.gates.filter(({ passed }) => !passed).map(({ gate }) => gate);
  if (failed.length > 0) return `these gates have not passed: ${failed.join(', ')}`;
  return BAD_ENDS.includes(report.status) ? `it ended as ${report.status}` : undefined;
}
