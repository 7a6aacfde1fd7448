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
  { plan = 'plan', digest = digestOf, suppressed = new Set<string>(), block = 1_000, maxEvents = 60 } = {},
) {
  const isSuppressed = (subjectId: string) => suppressed.has(subjectId);
  const sample = new SampleDraw({ planHash: plan, fileOfPart: FILES, isSuppressed, maxEvents });
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

  const pairsOf = (rows: DrawnRow[], sample: SampleDraw) => {
    const drawn = new Set(sample.drawn());
    const names = rows
      .filter(({ event_id }) => drawn.has(event_id))
      .map(({ event_name, part_id }) => `${event_name} ${FILES.get(part_id)}`);
    return new Set(names);
  };

  it('has each type in each file, as far as there is room, and says what there is', () => {
    // 30 types in 10 files.
    const rows = Array.from({ length: 6_000 }, (_, number) => row(number, Math.floor(number / 40) % 30));
    const sample = draw(rows);
    expect(sample.drawn()).toHaveLength(60);
    const pairs = [...pairsOf(rows, sample)];
    expect(pairs).toHaveLength(60);
    expect(new Set(pairs.map((pair) => pair.split(' ')[0])).size).toBe(30);
    expect(new Set(pairs.map((pair) => pair.split(' ')[1])).size).toBe(10);
    expect([sample.present.types.length, sample.present.files.length, sample.present.pairs]).toEqual([30, 10, 300]);
    expect(pairsOf(rows, draw(rows, { maxEvents: 1_000 })).size).toBe(300);
  });

  it('gives rare and common types, and files beside many types, the same chance where there is no room', () => {
    // 100 types, of which one has nine tenths of the rows, in 10 files.
    const rows = Array.from({ length: 5_000 }, (_, number) => row(number, number % 10 === 0 ? (number / 10) % 100 : 0));
    const times = new Map<string, number>();
    const plans = 150;
    for (let plan = 0; plan < plans; plan++) {
      const sample = draw(rows, { plan: `plan ${plan}` });
      expect(sample.drawn()).toHaveLength(60);
      const pairs = [...pairsOf(rows, sample)].map((pair) => pair.split(' '));
      for (const name of new Set(pairs.flat())) times.set(name, (times.get(name) ?? 0) + 1);
    }
    const types = [...times].filter(([name]) => name.startsWith('type_'));
    // None is out for ever; and the common one comes for its files too.
    expect(types).toHaveLength(100);
    for (const [name, count] of types) if (name !== 'type_0') expect(count).toBeGreaterThan(plans * 0.3);
    for (let file = 0; file < 10; file++) expect(times.get(`${file}`)).toBeGreaterThan(plans * 0.4);
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
