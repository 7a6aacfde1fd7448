/**
 * What time it is at the object store, to the second, by the header of any answer: a request without credentials is
 * refused, and dated.
 *
 * @returns undefined where its answers have no date.
 */
export async function readStoreClock(endpoint: string, timeoutMs: number): Promise<Date | undefined> {
  const answer = await fetch(endpoint, {
    method: 'HEAD',
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  });
  const at = Date.parse(answer.headers.get('date') ?? '');
  return Number.isNaN(at) ? undefined : new Date(at);
}
