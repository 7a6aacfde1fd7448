/**
 * Runs two pieces of work at the same time. When one fails, the other is aborted and waited for, so that nothing goes on
 * behind the back of who called.
 *
 * @param begin gets the signal that both stop at
 */
export async function sideBySide<A, B>(
  signal: AbortSignal,
  begin: (signal: AbortSignal) => [Promise<A>, Promise<B>],
): Promise<[A, B]> {
  const failed = new AbortController();
  const works = begin(AbortSignal.any([signal, failed.signal]));
  try {
    return await Promise.all(works);
  } catch (error) {
    failed.abort(error);
    await Promise.allSettled(works);
    throw error;
  }
}
