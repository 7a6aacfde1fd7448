import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { DeferError, StaleWorkError } from '../errors.ts';
import { queryFailure } from './query-failure.ts';

function answer(code: string, message = 'invalid input syntax for type integer: "jane@example.org"') {
  return Object.assign(new pg.DatabaseError(message, 0, 'error'), { code });
}

describe('queryFailure', () => {
  it.each([
    ['57014', 'took longer'],
    ['53400', 'temporary space'],
    ['25006', 'tries to write'],
    ['22P02', 'SQLSTATE 22P02'],
    ['22012', 'SQLSTATE 22012'],
    ['P0001', 'SQLSTATE P0001'],
  ])('says of %s that it %s, and nothing of the data', (code, text) => {
    expect(queryFailure(answer(code))).toContain(text);
    expect(queryFailure(answer(code))).not.toContain('jane');
  });

  it('tells what is wrong with the query itself', () => {
    const missing = Object.assign(answer('42703', 'column "sesion_id" does not exist'), { position: '8' });
    expect(queryFailure(missing)).toBe('column "sesion_id" does not exist (42703)');
  });

  it('quotes nothing that a value was taken for while the query ran', () => {
    const found = answer('42601', 'syntax error in tsquery: "jane@example.org b"');
    expect(queryFailure(found)).toBe('the query failed (SQLSTATE 42601)');
  });

  it.each([
    ['a lost connection', answer('57P01')],
    ['too many connections', answer('53300')],
    ['no memory', answer('53200')],
    ['a deadlock', answer('40P01')],
    ['a lock that was not to be had', answer('55P03')],
    ['a broken pipe', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })],
    ['a stopped batch', new StaleWorkError('gone')],
    ['work for later', new DeferError('later', 1)],
    ['an aborted signal', new DOMException('aborted', 'AbortError')],
    ['a bug', new TypeError('x is undefined')],
    ['no error', undefined],
  ])('has nothing to say of %s', (_what, error) => {
    expect(queryFailure(error)).toBeUndefined();
  });
});
