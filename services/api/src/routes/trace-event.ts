import { getBatch } from '@backfill/core/db/queries/batch-get';
import { listTracedHandovers } from '@backfill/core/db/queries/event-trace-handover-list';
import { listTracedLines } from '@backfill/core/db/queries/event-trace-line-list';
import { listTracedLosers } from '@backfill/core/db/queries/event-trace-loser-list';
import { getKeyOwner } from '@backfill/core/db/queries/event-trace-owner-get';
import { listStoredRows } from '@backfill/core/db/queries/event-trace-stored-list';
import { listGateResults } from '@backfill/core/db/queries/gate-result-list';
import { readDecisions } from '@backfill/core/runtime/read-decisions';
import { z } from 'zod';
import type { ApiServer } from '../api-server.ts';
import type { ApiContext } from '../context.ts';
import { type FoundEvent, originOf, ownerOf, parseEventId, storedEvent, toEventTrace } from '../event-trace.ts';
import { Problem } from '../problem.ts';
import { type MaskedLine, readMaskedLine } from '../read-masked-line.ts';
import { EventTrace } from '../schemas/event-trace.ts';
import { problemAnswers } from '../schemas/problem-answers.ts';

const Params = z.strictObject({
  event_id: z.string().max(200).describe('source:YYYYMMDDHHMMSSmmm:\\x…, URL-encoded (the backslash is %5C)'),
});

async function findEvent(
  { pool, keyStore }: ApiContext,
  event: { eventId: string; eventTs: Date },
): Promise<FoundEvent> {
  const { eventId } = event;
  return {
    lines: await listTracedLines(pool, eventId),
    stored: await listStoredRows(pool, event),
    losers: await listTracedLosers(pool, eventId),
    handovers: await listTracedHandovers(pool, eventId),
    keyOwner: await getKeyOwner(keyStore.pool, eventId),
  };
}

/** The signatures that the event is there by: those that are about what its batch has now. */
async function listOwnersApprovals({ pool }: ApiContext, owner: string | undefined): Promise<EventTrace['approvals']> {
  const batch = owner === undefined ? undefined : await getBatch(pool, owner);
  if (batch === undefined) return [];
  const { approvals } = await readDecisions(pool, batch, await listGateResults(pool, [batch.batch_id]));
  return approvals
    .filter(({ counts, decision }) => counts && decision === 'approve')
    .map(({ stage, role, actor, bound_hash, at }) => ({ stage, role, actor, bound_hash, at }));
}

/** `GET /v1/events/{event_id}`: the raw lines of an event, who owns it, and whether it is live. */
export function addTraceEvent(server: ApiServer, context: ApiContext): void {
  server.get(
    '/v1/events/:event_id',
    {
      config: { role: 'any' },
      schema: {
        operationId: 'traceEvent',
        tags: ['events'],
        summary: 'Trace an event to its raw line',
        params: Params,
        response: { 200: EventTrace, ...problemAnswers(401, 404) },
      },
    },
    async ({ params }) => {
      const eventId = params.event_id;
      const parts = parseEventId(eventId);
      if (parts === undefined) throw new Problem('not-found', 'This is not an event id.');
      const event = { eventId, ...parts };
      const found = await findEvent(context, event);
      const trace = toEventTrace(eventId, found, await listOwnersApprovals(context, ownerOf(found)));
      if (trace === undefined) throw new Problem('not-found', 'No batch and no live writer has delivered this event.');
      const origin = originOf(found);
      // Of somebody who objected nothing more is shown than that there is a line.
      const line: MaskedLine =
        trace.state === 'suppressed'
          ? { text: null, missing: 'the person is suppressed' }
          : origin === undefined
            ? { text: null, missing: 'no batch has delivered it' }
            : await readMaskedLine(context, origin, storedEvent(eventId, event.eventTs, found));
      return { ...trace, raw_line: line.text, raw_line_missing: line.missing };
    },
  );
}
