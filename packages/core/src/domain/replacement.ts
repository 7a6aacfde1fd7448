/** What a batch replaces: a published batch of its source, or what live ingestion has in its window. */
export type Replaces = { batch_id: string } | { live: true };

/** A batch, as far as it matters for being replaced or replacing. */
export interface ReplaceableBatch {
  batch_id: string;
  source: string;
  status: string;
  rows_live: boolean;
  /** The batch that has replaced it. */
  replaced_by: string | null;
  window_start: Date;
  window_end: Date;
}

/**
 * Why a batch cannot replace another one; undefined when it can. The window must hold all of the other one's: what lies
 * outside would stay beside its correction, and nobody would have been asked about it.
 *
 * @param target undefined when there is no such batch
 */
export function replacementProblem(
  batch: Pick<ReplaceableBatch, 'source' | 'window_start' | 'window_end'>,
  target: ReplaceableBatch | undefined,
): string | undefined {
  if (target === undefined) return 'there is no such batch';
  const { batch_id: id, window_start: start, window_end: end } = target;
  if (target.source !== batch.source) return `${id} is a batch of the source ${target.source}`;
  if (target.replaced_by !== null) return `${id} was replaced by ${target.replaced_by}: replace that one`;
  if (target.status !== 'published' || !target.rows_live) return `${id} is ${target.status}, not published`;
  if (batch.window_start <= start && batch.window_end >= end) return undefined;
  return `the window must hold all of ${id}'s: ${start.toISOString()} to ${end.toISOString()}`;
}
