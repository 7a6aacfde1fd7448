import { describe, expect, it } from 'vitest';
import { problemFrom } from './api-problem.ts';

describe('problemFrom', () => {
  it('reads a problem document', () => {
    const errors = [{ path: 'window.start', message: 'is not a time' }];
    const problem = problemFrom(422, JSON.stringify({ type: 'x', title: 'Mistakes', detail: '1 field', errors }));
    expect(problem).toMatchObject({ status: 422, title: 'Mistakes', detail: '1 field', mistakes: errors });
  });

  it.each(['', '<html>Bad gateway</html>', '[]', '"text"'])(
    'tells the status of an answer that is none: %s',
    (body) => {
      expect(problemFrom(502, body)).toMatchObject({ status: 502, title: 'HTTP 502', mistakes: [] });
    },
  );
});
