import { expect, it } from 'vitest';
import { connectionFindings, preparedFindings } from './postgresql.ts';

const IMPORTER = { service: 'importer', concurrency: 1 } as const;

it.each([
  ['room enough', { max_connections: 8, sessions: 1 }, []],
  ['too little for one process', { max_connections: 7, sessions: 1 }, [/room for 4 connections, and .* may take 5/]],
  ['nearly all taken', { max_connections: 103, sessions: 90 }, [/90 of its 100 connections are taken/]],
])('connections: %s', (_what, given, texts) => {
  const problems = connectionFindings({ reserved_connections: 3, ...given }, [IMPORTER]).map(({ problem }) => problem);
  expect(problems).toEqual(texts.map((text) => expect.stringMatching(text)));
});

it('names what others have prepared, so that it can be ended', () => {
  const [finding] = preparedFindings('DATABASE_URL', ["it's"]);
  expect(finding).toMatchObject({ problem: expect.stringContaining(`"it's"`) });
});
