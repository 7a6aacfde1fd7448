import type { Client } from '../db/pool.ts';
import { listPartsToAmend } from '../db/queries/erased-part-list.ts';
import { amendGateDetail, type GateDetail, listGateDetails } from '../db/queries/gate-detail-amend.ts';
import { amendPart } from '../db/queries/part-amend.ts';
import { isJsonObject } from '../domain/json.ts';
import { SamplesReference } from '../report/samples.ts';
import { amendPartCounts } from './amend-part-counts.ts';
import { forgetIds } from './forget-ids.ts';
import type { RewrittenPart } from './rewrite-parts.ts';

/** Amends the books of the parts. */
export async function amendParts(
  client: Client,
  batchId: string,
  written: ReadonlyMap<string, RewrittenPart>,
): Promise<void> {
  for (const part of await listPartsToAmend(client, batchId)) {
    const { part_id, accepted, quarantined, filtered, expired, known, object_key: key } = part;
    const taken = amendPartCounts(part, part.state === 'imported' ? accepted : 0, known);
    const object = key === null ? undefined : written.get(key)?.object;
    await amendPart(client, {
      ...{ part_id, accepted, quarantined, filtered, expired, taken },
      ...(object !== undefined && { object }),
    });
  }
}

/** Takes ids of events, and references to samples that were written anew, out of what gates have said. */
export async function amendGates(
  client: Client,
  batchId: string,
  events: ReadonlySet<string>,
  references: ReadonlyMap<string, SamplesReference>,
): Promise<number> {
  let amended = 0;
  for (const gate of await listGateDetails(client, batchId)) {
    const detail = forgetIds(gate.detail, events);
    const reference = SamplesReference.safeParse(isJsonObject(detail) ? detail.samples : undefined).data;
    const now = reference && references.get(reference.key);
    if (now === undefined && detail === gate.detail) continue;
    const next = now === undefined ? detail : { ...detail, samples: now };
    await amendGateDetail(client, batchId, { ...gate, detail: next as GateDetail['detail'] });
    amended += 1;
  }
  return amended;
}
