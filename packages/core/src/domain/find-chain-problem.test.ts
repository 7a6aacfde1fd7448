import { createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AuditEntry, firstPreviousMac, type SealedEntry, sealEntries } from './audit-chain.ts';
import { findChainProblem, type KnownHead } from './find-chain-problem.ts';

const key = createSecretKey(Buffer.alloc(32, 'k'));
const otherKey = createSecretKey(Buffer.alloc(32, 'o'));

const entry = (id: number): AuditEntry => ({
  audit_id: id,
  at: '2026-11-23T10:00:00.000001Z',
  actor: 'operator',
  batch_id: id % 2 === 0 ? null : 'b',
  action: 'status',
  detail: `{"n": ${id}}`,
});

/** Ids are ten times the numbers, so that the two cannot be taken for each other. */
function chainOf(length: number, sealingKey = key): SealedEntry[] {
  const entries = Array.from({ length }, (_, index) => entry(10 * (index + 1)));
  return sealEntries(sealingKey, { chain_no: 0, mac: firstPreviousMac(sealingKey) }, entries);
}

const headAt = (chain: readonly SealedEntry[], chainNo: number): KnownHead => {
  const { mac = '' } = chain[chainNo - 1] ?? {};
  return { chain_no: chainNo, mac, where: `head ${chainNo}` };
};

async function* stream(chain: readonly SealedEntry[]) {
  yield* chain;
}

const find = (chain: readonly SealedEntry[], heads: readonly KnownHead[] = []) =>
  findChainProblem(key, stream(chain), heads);

/** Numbers as they stand, from 1 on. */
const renumber = (chain: readonly SealedEntry[]) => chain.map((one, index) => ({ ...one, chain_no: index + 1 }));

const changed = (chain: readonly SealedEntry[], chainNo: number, change: Partial<SealedEntry>) =>
  chain.map((one) => (one.chain_no === chainNo ? { ...one, ...change } : one));

/** What somebody without the key can do to the entry at an index, and what it is to be called. */
const TAMPERINGS: { kind: string; tamper(chain: readonly SealedEntry[], index: number): SealedEntry[] }[] = [
  { kind: 'changed', tamper: (chain, index) => changed(chain, index + 1, { actor: 'x' }) },
  { kind: 'removed', tamper: (chain, index) => chain.toSpliced(index, 1) },
  { kind: 'removed', tamper: (chain, index) => renumber(chain.toSpliced(index, 1)) },
  {
    kind: 'inserted',
    tamper: (chain, index) => renumber(chain.toSpliced(index, 0, { ...entry(5), chain_no: 0, mac: '0'.repeat(64) })),
  },
  {
    kind: 'reordered',
    tamper: (chain, index) => renumber(chain.toSpliced(index, 2, ...chain.slice(index, index + 2).reverse())),
  },
  { kind: 'cut-off', tamper: (chain, index) => chain.slice(0, index) },
];

describe('findChainProblem', () => {
  const chain = chainOf(9);

  it('finds nothing in a chain as it was sealed, in one go or in several', async () => {
    expect(await find([])).toEqual({ intact: 0, problem: undefined });
    expect(await find(chain, [headAt(chain, 9), headAt(chain, 3)])).toEqual({ intact: 9, problem: undefined });
    const first = chain.slice(0, 4);
    const rest = Array.from({ length: 5 }, (_, index) => entry(10 * (index + 5)));
    expect([...first, ...sealEntries(key, first.at(-1) as SealedEntry, rest)]).toEqual(chain);
  });

  it.each<Partial<SealedEntry>>([
    { audit_id: 41 },
    { at: '2026-11-23T10:00:00.000002Z' },
    { actor: 'nobody' },
    { batch_id: 'b' },
    { action: 'halt' },
    { detail: '{"n": 40.0}' },
    { mac: 'f'.repeat(64) },
  ])('names an entry that was changed: %o', async (change) => {
    const { intact, problem } = await find(changed(chain, 4, change), [headAt(chain, 9)]);
    expect(intact).toBe(3);
    expect(problem).toEqual({ kind: 'changed', chainNo: 4, auditId: change.audit_id ?? 40 });
  });

  it('names the first of several, and the last one too', async () => {
    const twice = changed(changed(chain, 7, { actor: 'x' }), 2, { actor: 'x' });
    expect((await find(twice)).problem).toEqual({ kind: 'changed', chainNo: 2, auditId: 20 });
    expect((await find(changed(chain, 9, { actor: 'x' }))).problem).toMatchObject({ kind: 'changed', chainNo: 9 });
    expect((await find(changed(chain, 1, { actor: 'x' }))).problem).toMatchObject({ kind: 'changed', chainNo: 1 });
  });

  it('names numbers that were removed, at the beginning too', async () => {
    const without = chain.filter(({ chain_no }) => chain_no !== 4 && chain_no !== 5);
    expect((await find(without)).problem).toEqual({ kind: 'removed', first: 4, last: 5, nextAuditId: 60 });
    expect((await find(chain.slice(2))).problem).toEqual({ kind: 'removed', first: 1, last: 2, nextAuditId: 30 });
  });

  it('sees through a gap that was closed by renumbering, once a head knows a later number', async () => {
    const closed = renumber(chain.filter(({ chain_no }) => chain_no !== 4));
    expect((await find(closed, [headAt(chain, 9)])).problem).toEqual({
      kind: 'removed',
      first: 4,
      last: 4,
      nextAuditId: 50,
    });
    expect((await find(closed)).problem).toMatchObject({ kind: 'changed', chainNo: 4 });
  });

  it('names what was cut off, as far as a head knows', async () => {
    const short = chain.slice(0, 6);
    expect(await find(short, [headAt(chain, 3), headAt(chain, 8)])).toEqual({
      intact: 6,
      problem: { kind: 'cut-off', first: 7, last: 8, where: 'head 8' },
    });
    expect((await find([], [headAt(chain, 2)])).problem).toMatchObject({ kind: 'cut-off', first: 1, last: 2 });
    expect((await find(short, [headAt(chain, 6)])).problem).toBeUndefined();
  });

  it('names an entry that was inserted', async () => {
    const forged = { ...entry(999), chain_no: 0, mac: 'a'.repeat(64) };
    const longer = renumber([...chain.slice(0, 3), forged, ...chain.slice(3)]);
    expect((await find(longer)).problem).toEqual({ kind: 'inserted', chainNo: 4, auditId: 999 });
    expect((await find([forged, ...chain])).problem).toEqual({ kind: 'inserted', chainNo: 0, auditId: 999 });
    const twin = { ...forged, chain_no: 4 };
    expect((await find([...chain.slice(0, 4), twin, ...chain.slice(4)])).problem).toMatchObject({
      kind: 'inserted',
      auditId: 999,
    });
    const appended = [...chain, { ...forged, chain_no: 10 }];
    expect((await find(appended)).problem).toMatchObject({ kind: 'changed', chainNo: 10, auditId: 999 });
  });

  it('names two that were swapped, next to each other and far apart', async () => {
    const swap = (a: number, b: number) =>
      renumber(
        chain.map(
          (one) => (one.chain_no === a ? chain[b - 1] : one.chain_no === b ? chain[a - 1] : one) as SealedEntry,
        ),
      );
    for (const [a, b] of [
      [4, 5],
      [2, 8],
      [1, 9],
    ] as const) {
      expect((await find(swap(a, b), [headAt(chain, 9)])).problem).toEqual({
        kind: 'reordered',
        chainNo: a,
        auditId: 10 * b,
        rightfulAuditId: 10 * a,
      });
    }
  });

  it('names the head that a log made anew with the key does not fit', async () => {
    const anew = sealEntries(key, chain[2] as SealedEntry, [entry(77), entry(88), entry(99)]);
    const log = [...chain.slice(0, 3), ...anew];
    expect((await find(log, [headAt(chain, 2), headAt(chain, 5)])).problem).toEqual({
      kind: 'rewritten',
      chainNo: 5,
      auditId: 88,
      agreedNo: 2,
      where: 'head 5',
    });
  });

  it('finds every change of every chain, and never at a later place', async () => {
    const chains = fc.record({
      length: fc.integer({ min: 3, max: 12 }),
      at: fc.nat(),
      how: fc.constantFrom(...TAMPERINGS),
    });
    await fc.assert(
      fc.asyncProperty(chains, async ({ length, at, how }) => {
        const whole = chainOf(length);
        // Not the last one: see the tests of those that are removed or swapped.
        const index = at % (length - 1);
        const { intact, problem } = await find(how.tamper(whole, index), [headAt(whole, length)]);
        expect([intact, problem?.kind]).toEqual([index, how.kind]);
      }),
    );
  });

  it('believes nothing under another key', async () => {
    expect((await find(chainOf(3, otherKey))).problem).toMatchObject({ kind: 'changed', chainNo: 1 });
  });
});
