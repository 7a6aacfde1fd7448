import { describe, expect, it } from 'vitest';
import {
  CrashLoopError,
  DeferError,
  decide,
  describeError,
  describeReason,
  FatalError,
  StaleWorkError,
} from './errors.ts';

const withCode = (code: string) => Object.assign(new Error('x'), { code });

describe('decide', () => {
  it.each([
    ['stale work', new StaleWorkError('x'), 1, { action: 'drop' }],
    ['a data fault', new FatalError('x'), 1, { action: 'fail' }],
    ['a job that kills its processes', new CrashLoopError('x'), 1, { action: 'halt' }],
    ['a deferral', new DeferError('x', 700), 9, { action: 'defer', delayMs: 700 }],
    ['postgres shutting down', withCode('57P01'), 9, { action: 'defer', delayMs: 1_000 }],
    ['too many connections', withCode('53300'), 9, { action: 'defer', delayMs: 1_000 }],
    ['a refused connection', withCode('ECONNREFUSED'), 9, { action: 'defer', delayMs: 1_000 }],
    [
      'a terminated connection',
      new Error('Connection terminated unexpectedly'),
      9,
      { action: 'defer', delayMs: 1_000 },
    ],
    ['a deadlock', withCode('40P01'), 9, { action: 'defer', delayMs: 1_000 }],
    ['a statement that took too long', withCode('57014'), 9, { action: 'defer', delayMs: 1_000 }],
    ['a transaction that took too long', withCode('25P04'), 9, { action: 'defer', delayMs: 1_000 }],
    ['a failed serialization', withCode('40001'), 9, { action: 'defer', delayMs: 1_000 }],
    ['no shared memory left', withCode('53200'), 9, { action: 'defer', delayMs: 1_000 }],
    ['a host that cannot be reached', withCode('EHOSTUNREACH'), 9, { action: 'defer', delayMs: 1_000 }],
    [
      'a pool without a connection',
      new Error('timeout exceeded when trying to connect'),
      9,
      { action: 'defer', delayMs: 1_000 },
    ],
    ['a lock not to be had', withCode('55P03'), 9, { action: 'defer', delayMs: 1_000 }],
    [
      'S3 asking to slow down',
      Object.assign(new Error('x'), { $metadata: { httpStatusCode: 503 } }),
      9,
      { action: 'defer', delayMs: 1_000 },
    ],
    [
      'S3 that says nothing',
      Object.assign(new Error('x'), { name: 'TimeoutError' }),
      9,
      { action: 'defer', delayMs: 1_000 },
    ],
    ['S3 refusing', Object.assign(new Error('x'), { $metadata: { httpStatusCode: 403 } }), 1, { action: 'retry' }],
    ['a unique violation', withCode('23505'), 4, { action: 'retry' }],
    ['an unknown error, last attempt', new Error('x'), 5, { action: 'halt' }],
    ['a thrown string', 'x', 5, { action: 'halt' }],
  ])('%s', (_name, error, attempt, decision) => {
    expect(decide(error, { attempt: attempt as number, deferrals: 2 }, 5)).toEqual(decision);
  });
});

it('asks a dependency that stays overloaded ever less often', () => {
  const delays = [0, 1, 2, 3, 6, 7, 1_000].map((deferrals) => decide(withCode('53300'), { attempt: 1, deferrals }, 5));
  expect(delays.map((decision) => 'delayMs' in decision && decision.delayMs)).toEqual([
    ...[250, 500, 1_000, 2_000, 16_000, 30_000, 30_000],
  ]);
});

describe('describeError', () => {
  it('tells our own messages and their causes', () => {
    expect(describeError(new FatalError('a', { cause: new DeferError('b', 1) }))).toBe('a: b');
  });

  it('tells kind, code and place of foreign errors, never their message', () => {
    const foreign = Object.assign(new SyntaxError('Unexpected token in "jane@example.org"'), { code: '22P02' });
    const text = describeError(new FatalError('part 3', { cause: foreign }));
    expect(text).toMatch(/^part 3: SyntaxError 22P02 at .*errors\.test\.ts/);
    expect(text).not.toContain('jane');
    expect(describeReason(new FatalError('part 3', { cause: foreign }))).toBe('part 3: SyntaxError 22P02');
  });
});
