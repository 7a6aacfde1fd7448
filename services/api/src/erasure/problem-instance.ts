const ERASURES = '/v1/erasures';

/**
 * What a problem document calls the request: its path, but for one below the erasures, where somebody may have typed the
 * id of a person in place of a number. Pure.
 */
export function problemInstance(url: string): string {
  const path = url.split('?', 1)[0] ?? '';
  return path.toLowerCase().startsWith(`${ERASURES}/`) ? `${ERASURES}/{erasure_id}` : path;
}
