import { describe, expect, it } from 'vitest';
import { createProgram } from '../program.ts';
import { complete } from './complete.ts';

const program = createProgram({
  env: {},
  stdout: { write: () => undefined },
  stderr: { write: () => undefined },
  signal: new AbortController().signal,
});

/** The words that are offered. */
function words(...typed: string[]): string[] {
  const found = complete(program, typed);
  return found.kind === 'words' ? found.words.map(({ value }) => value) : [found.kind];
}

describe('complete', () => {
  it.each([
    [['stat'], ['status']],
    [['ret'], ['retention']],
    [['help', 'roll'], ['rollback']],
    [
      ['taxonomy', ''],
      ['lint', 'publish', 'docs', 'validate', 'help'],
    ],
    [['--json', 'taxonomy', 'li'], ['lint']],
    [['--state-dir', 'status', 'stat'], ['status']],
    [['nonsense', '__'], []],
    [['__'], []],
  ])('commands: %j', (typed, expected) => {
    expect(words(...typed)).toEqual(expected);
  });

  it.each([
    [['status', '--wa'], ['--watch']],
    [
      ['list', '--s'],
      ['--status', '--state-dir'],
    ],
    [
      ['taxonomy', 'lint', '--'],
      ['--config', '--help', '--as', '--json', '--state-dir'],
    ],
    [['nonsense', '--x'], []],
  ])('options: %j', (typed, expected) => {
    expect(words(...typed)).toEqual(expected);
  });

  it.each([
    [
      ['approve', 'b1', '--role', 'product_'],
      ['product_analytics_manager', 'product_owner'],
    ],
    [['approve', 'b1', '--role=product_o'], ['--role=product_owner']],
    // As bash parts it.
    [['approve', 'b1', '--role', '=', 'product_o'], ['product_owner']],
    [
      ['approve', 'b1', '--stage', '='],
      ['run', 'publish', 'override'],
    ],
    [
      ['report', 'b1', '--format', ''],
      ['csv', 'json', 'html'],
    ],
    [['run', './logs', '--ticket', ''], []],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['status', '--nonsense=x'], []],
  ])('values: %j', (typed, expected) => {
    expect(words(...typed)).toEqual(expected);
  });

  it.each([
    [['run', './lo'], 'paths'],
    [['report', 'b1', '--output', ''], 'paths'],
    [['--state-dir', ''], 'paths'],
    [['status', ''], 'batches'],
    [['status', '--watch', ''], 'batches'],
    [['import', '--batch-id', 'b'], 'batches'],
    [['approve', '--role', 'product_owner', ''], 'batches'],
    // Only one batch: nothing comes behind it.
    [['halt', 'b1', ''], undefined],
  ])('paths and batches: %j', (typed, expected) => {
    expect(words(...typed)).toEqual(expected === undefined ? [] : [expected]);
  });

  it('keeps what stands before a batch in the same word', () => {
    expect(complete(program, ['import', '--batch-id=b'])).toEqual({ kind: 'batches', before: '--batch-id=' });
  });
});
