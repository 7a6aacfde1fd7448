import { listTracedLines } from '@backfill/core/db/queries/event-trace-line-list';
import { getKeyOwner } from '@backfill/core/db/queries/event-trace-owner-get';
import { listStoredRows } from '@backfill/core/db/queries/event-trace-stored-list';
import { z } from 'zod';
import type { ApiServer } from '../api-server.ts';
import type { ApiContext } from '../context.ts';
import { parseEventId, toEventTrace } from '../event-trace.ts';
import { Problem } from '../problem.ts';
import { EventTrace } from '../schemas/event-trace.ts';
import { problemAnswers } from '../schemas/problem-answers.ts';

const Params = z.strictObject({
  event_id: z.string().max(200).describe('source:YYYYMMDDHHMMSSmmm:\\x…, URL-encoded (the backslash is %5C)'),
});

/** `GET /v1/events/{event_id}`: the raw lines of an event, who owns it, and whether it is live. */
export function addTraceEvent(server: ApiServer, context: ApiContext): void {
  server.get(
    '/v1/events/:event_id',
    {
      schema: {
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
      const trace = toEventTrace(eventId, {
        lines: await listTracedLines(context.pool, event),
        stored: await listStoredRows(context.pool, event),
        keyOwner: await getKeyOwner(context.keyStore.pool, eventId),
      });
      if (trace === undefined) throw new Problem('not-found', 'No batch and no live writer has delivered this event.');
      return trace;
    },
  );
}
