import type { Session } from './session.ts';
import type { SubmissionBody } from './submission-options.ts';

/** Submits a batch and says whether it is new. */
export async function submitBatch(session: Session, body: SubmissionBody): Promise<void> {
  const { status } = await session.client.post('/v1/batches', body);
  if (session.json) return;
  const isKnown = status === 200;
  session.print([isKnown ? `${body.batch_id} was submitted before; nothing changed.` : `Submitted ${body.batch_id}.`]);
}
