import { ConfigError } from '@backfill/core/config/config-error';
import { describe, expect, it } from 'vitest';
import { Problem } from './problem.ts';
import { toProblem } from './to-problem.ts';

const coded = (code: string, statusCode?: number) => Object.assign(new Error('secret value'), { code, statusCode });

describe('toProblem', () => {
  it.each([
    ['a problem', new Problem('conflict', 'no'), 409],
    ['a lost database', coded('ECONNREFUSED'), 503],
    ['a database that shuts down', coded('57P01'), 503],
    [
      'a mistake in the configuration',
      new ConfigError('/etc/x', [{ file: 'policy.yaml', path: '/a', message: 'b' }]),
      503,
    ],
    ['a body that is no JSON', coded('FST_ERR_CTP_INVALID_JSON_BODY', 400), 400],
    ['a body that is too large', coded('FST_ERR_CTP_BODY_TOO_LARGE', 413), 413],
    ['a body of another type', coded('FST_ERR_CTP_INVALID_MEDIA_TYPE', 415), 415],
    ['an SQL error', coded('23505'), 500],
    ['something thrown that is no error', 'secret value', 500],
    ['nothing', undefined, 500],
  ])('answers %s without telling internals', (_what, error, status) => {
    const problem = toProblem(error);
    expect(problem.status).toBe(status);
    expect(JSON.stringify(problem.document('/x'))).not.toContain('secret');
  });

  it('names the place of every mistake in the configuration', () => {
    const error = new ConfigError('/etc/x', [
      { file: 'policy.yaml', path: '/gates', message: 'is missing' },
      { file: 'sources/web.yaml', path: '', message: 'is not YAML' },
    ]);
    expect(toProblem(error).errors).toEqual([
      { path: 'policy.yaml/gates', message: 'is missing' },
      { path: 'sources/web.yaml', message: 'is not YAML' },
    ]);
  });
});
