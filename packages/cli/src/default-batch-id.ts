const MAX_LENGTH = 63;

/**
 * A batch's name made of its source and window, so that the same call means the same batch:
 * `app-20260801-20260802`. Times that are not midnight UTC are written with hours and minutes.
 */
export function defaultBatchId(batch: { source: string; start: string; end: string }): string {
  return `${batch.source}-${compact(batch.start)}-${compact(batch.end)}`.slice(0, MAX_LENGTH);
}

function compact(time: string): string {
  const timeMs = Date.parse(time);
  // A window that cannot be read is refused elsewhere, with every other mistake.
  if (Number.isNaN(timeMs)) return 'unknown';
  const digits = new Date(timeMs).toISOString().replaceAll(/[^0-9]/g, '');
  const clock = digits.slice(8, 14);
  return clock === '000000' ? digits.slice(0, 8) : `${digits.slice(0, 8)}T${clock}`;
}
