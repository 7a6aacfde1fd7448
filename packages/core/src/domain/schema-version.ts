/** Compares two SchemaVer versions (`model-revision-addition`) by their numbers; negative if `a` is older. */
export function compareSchemaVersions(a: string, b: string): number {
  const left = a.split('-').map(Number);
  const right = b.split('-').map(Number);
  for (const [index, number] of left.entries()) {
    const difference = number - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * The upcasts that lead from a record's version to the pinned one, in order, as the version that each begins with;
 * undefined if none do. An older version of the same model and revision needs none: by SchemaVer's rule an addition
 * fits all data there is.
 *
 * @param steps from version → to version, always upwards, which is why the walk ends
 */
export function findUpcastPath(
  steps: ReadonlyMap<string, string>,
  version: string,
  pinned: string,
): string[] | undefined {
  const path: string[] = [];
  let current = version;
  while (current !== pinned) {
    const next = steps.get(current);
    if (next === undefined || compareSchemaVersions(next, pinned) > 0) {
      return isOlderAddition(current, pinned) ? path : undefined;
    }
    path.push(current);
    current = next;
  }
  return path;
}

function isOlderAddition(version: string, pinned: string): boolean {
  const revision = (text: string) => text.slice(0, text.lastIndexOf('-'));
  return revision(version) === revision(pinned) && compareSchemaVersions(version, pinned) < 0;
}
