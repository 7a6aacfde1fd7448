import { describe, expect, it } from 'vitest';
import { type VolumeCounts, volumeGate } from './volume-gate.ts';

const COUNTS: VolumeCounts = {
  ...{ read: 1_100, inserted: 980, same_batch: 10, overlap: 0, suppressed: 0, expired: 0 },
  ...{ filtered: 90, quarantined: 20 },
};

function judge(changes: Partial<VolumeCounts>, reference?: number) {
  const { observed, passed, detail } = volumeGate({ ...COUNTS, ...changes }, reference, 0.02);
  return { observed, passed, expected: detail.expected, unexplained: detail.unexplained, surplus: detail.surplus };
}

describe('volumeGate', () => {
  it('expects every line that is neither filtered nor repeated, at exactly one in fifty', () => {
    expect(judge({})).toEqual({ observed: 0.02, passed: true, expected: 1_000, unexplained: 20, surplus: 0 });
    expect(judge({ inserted: 979, quarantined: 21 })).toMatchObject({ observed: 0.021, passed: false });
  });

  it('does not count what is missing for a known reason, and shows it', () => {
    const explained = { suppressed: 100, expired: 200, overlap: 300 };
    expect(judge({ inserted: 380, ...explained })).toMatchObject({ observed: 0.02, passed: true, unexplained: 20 });
    const { detail } = volumeGate({ ...COUNTS, inserted: 380, ...explained }, undefined, 0.02);
    expect(detail.explained).toEqual(explained);
  });

  it('goes by the submitter’s count, where there is one', () => {
    expect(judge({}, 980)).toMatchObject({ observed: 0, passed: true });
    expect(judge({}, 2_000)).toMatchObject({ observed: 0.51, passed: false, unexplained: 1_020 });
    expect(judge({ overlap: 1_000 }, 2_000)).toMatchObject({ observed: 0.01, passed: true });
  });

  it('counts too many as well, which nothing explains', () => {
    expect(judge({ suppressed: 500, overlap: 500 }, 500)).toMatchObject({
      observed: 0.96,
      passed: false,
      surplus: 480,
    });
    // What live ingestion has was not missing, and makes no surplus.
    expect(judge({ overlap: 500 }, 980)).toMatchObject({ observed: 0, passed: true });
  });

  it.each([
    ['nothing was expected and nothing came', { inserted: 0 }, 0, 0],
    ['nothing was expected', {}, 0, 980],
    ['absurdly many were expected', {}, Number.MAX_SAFE_INTEGER, 1],
    ['every line was filtered', { inserted: 0, filtered: 1_090 }, undefined, 0],
  ])('gives a number when %s', (_what, changes, reference, observed) => {
    const result = volumeGate({ ...COUNTS, ...changes }, reference, 0.02);
    expect(result.observed).toBeCloseTo(observed);
    expect(result.passed).toBe(observed <= 0.02);
  });

  it('says what is wrong', () => {
    const why = (reference: number) => volumeGate(COUNTS, reference, 0.02).detail.why;
    expect(why(2_000)).toBe('2000 events were expected by the submission, and 1020 are missing without a reason');
    expect(why(100)).toBe('100 events were expected by the submission, and 880 more came');
    expect(why(980)).toBeUndefined();
  });
});
