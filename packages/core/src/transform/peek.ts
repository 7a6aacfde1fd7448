/**
 * The beginning of a stream, and the whole stream, beginning included.
 *
 * @param atLeast bytes to wait for; fewer come only when the stream has no more
 */
export async function peek(
  source: AsyncIterable<Buffer>,
  atLeast: number,
): Promise<{ head: Buffer; whole: AsyncGenerator<Buffer> }> {
  const blocks = source[Symbol.asyncIterator]();
  const first: Buffer[] = [];
  let length = 0;
  while (length < atLeast) {
    const next = await blocks.next();
    if (next.done === true) break;
    first.push(next.value);
    length += next.value.length;
  }
  const head = Buffer.concat(first);
  async function* whole(): AsyncGenerator<Buffer> {
    if (head.length > 0) yield head;
    yield* { [Symbol.asyncIterator]: () => blocks };
  }
  return { head, whole: whole() };
}
