import type { ApiProblem } from '../client/api-problem.ts';

/** A refusal of the API for a person: what, why, every field that is wrong, and what to do next. */
export function formatProblem(problem: ApiProblem): string[] {
  const { title, detail, mistakes, status } = problem;
  const next = nextStep(status);
  return [
    `${title} (HTTP ${status})`,
    ...(detail === undefined ? [] : [detail]),
    ...mistakes.map(({ path, message }) => `  ${path}: ${message}`),
    ...(next === undefined ? [] : [next]),
  ];
}

function nextStep(status: number): string | undefined {
  if (status === 401) {
    return 'Use a token that this API knows and that has not expired: BACKFILL_TOKEN, or those in the env file of the running stack (npm start makes new ones).';
  }
  if (status === 403) return 'Use a token of the right role: --as ROLE, or BACKFILL_TOKEN.';
  if (status === 404) return './backfill list shows the batches there are.';
  if (status === 409) return './backfill status BATCH tells what can be done with it now.';
  if (status === 429) return 'Wait a minute, then try again.';
  if (status === 503) return 'See which dependency is down: ./backfill doctor; then try again.';
  if (status >= 500) return 'Try again; if it stays so, see the log of the API (or of the proxy before it).';
  return undefined;
}
