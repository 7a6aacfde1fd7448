import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type DrawnRow, SampleDraw } from './sample-draw.ts';

const FILES = new Map(Array.from({ length: 40 }, (_, part) => [part, part % 10]));
const digestOf = (blocks: number) => hash('sha256', `rows up to ${blocks}`, 'hex');

function row(number: number, type: number): DrawnRow {
  const eventId = `app:20261101100000000:\\x${hash('sha256', `event ${number}`, 'hex')}`;
  return { event_id: eventId, event_name: `type_${type}`, subject_id: `s${number % 7}`, part_id: number % 40 };
}

function draw(
  rows: DrawnRow[],
  { plan = 'plan', digest = digestOf, suppressed = new Set<string>(), block = 1_000 } = {},
) {
  const sample = new SampleDraw(plan, FILES, (subjectId) => suppressed.has(subjectId));
  for (let at = 0; at < rows.length; at += block) sample.addBlock(rows.slice(at, at + block), digest(at));
  return sample;
}

const many = Array.from({ length: 5_000 }, (_, number) => row(number, number % 100 === 0 ? 1 + (number % 3) : 0));

describe('the draw of a sample', () => {
  it('takes all rows where there are few', () => {
    const rows = Array.from({ length: 12 }, (_, number) => row(number, 0));
    const sample = draw(rows);
    expect(sample.drawn()).toEqual(rows.map(({ event_id }) => event_id).sort());
    expect([sample.rows, sample.asked]).toEqual([12, 12]);
    expect(draw([]).drawn()).toEqual([]);
  });

  it('has each type and each file in it, and twenty events', () => {
    const sample = draw(many);
    const drawn = new Set(sample.drawn());
    const rows = many.filter(({ event_id }) => drawn.has(event_id));
    expect(rows.length).toBe(20);
    expect(sample.asked).toBe(20);
    expect(new Set(rows.map(({ event_name }) => event_name)).size).toBe(4);
    expect(new Set(rows.map(({ part_id }) => FILES.get(part_id))).size).toBe(10);
  });

  it('grows with the types, up to sixty', () => {
    const drawn = (types: number) => draw(Array.from({ length: 5_000 }, (_, number) => row(number, number % types)));
    expect(drawn(35).drawn().length).toBeGreaterThanOrEqual(35);
    expect(drawn(500).drawn().length).toBe(60);
  });

  it('is the same again, and another one under another plan or with one row changed', () => {
    const drawn = draw(many).drawn();
    expect(draw(many).drawn()).toEqual(drawn);
    expect(draw(many, { plan: 'another plan' }).drawn()).not.toEqual(drawn);
    // From the block of the changed row on.
    const changed = (at: number) => (at < 2_000 ? digestOf(at) : hash('sha256', `changed ${at}`, 'hex'));
    expect(draw(many, { digest: changed }).drawn()).not.toEqual(drawn);
  });

  it('gives every row the same chance, wherever it stands', () => {
    const counts = [0, 0, 0, 0, 0];
    for (let plan = 0; plan < 400; plan++) {
      const drawn = new Set(draw(many, { plan: `plan ${plan}` }).drawn());
      for (const [at, { event_id: eventId, event_name: name }] of many.entries()) {
        if (name === 'type_0' && drawn.has(eventId))
          counts[Math.floor(at / 1_000)] = (counts[Math.floor(at / 1_000)] ?? 0) + 1;
      }
    }
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    for (const count of counts) expect(Math.abs(count - mean)).toBeLessThan(mean * 0.2);
  });

  it('leaves out who is suppressed', () => {
    const sample = draw(many, { suppressed: new Set(['s0', 's1', 's2', 's3', 's4', 's5']) });
    const drawn = new Set(sample.drawn());
    expect(many.filter(({ event_id }) => drawn.has(event_id)).every(({ subject_id }) => subject_id === 's6')).toBe(
      true,
    );
    expect(sample.rows).toBeLessThan(800);
  });
});
