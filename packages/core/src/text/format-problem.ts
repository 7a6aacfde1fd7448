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
    return 'The token is not known to this API. Take the tokens from the env file of the running stack, or set BACKFILL_TOKEN.';
  }
  if (status === 403) return 'Use a token of the right role: --as ROLE, or BACKFILL_TOKEN.';
  if (status === 404) return './backfill list shows the batches there are.';
  if (status === 503) return 'See which dependency is down: GET /readyz of the API; then try again.';
  return undefined;
}
