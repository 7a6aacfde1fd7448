/** Runs pieces of work one after the other, and joins what they give. */
export async function inOrder<T>(steps: readonly (() => Promise<readonly T[]>)[]): Promise<T[]> {
  const all: T[] = [];
  for (const step of steps) all.push(...(await step()));
  return all;
}

/** The same work for everyone who asks, begun by the first. */
export function once<T>(work: () => Promise<T>): () => Promise<T> {
  let begun: Promise<T> | undefined;
  return () => {
    begun ??= work();
    return begun;
  };
}
