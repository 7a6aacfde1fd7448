/** What a verification measured, as far as signatures are about it. */
export interface GateNumbers {
  rowCount: number | null;
  gates: Readonly<Record<string, { threshold: number; observed: number | null; passed: boolean }>>;
}

/** What differs between two verifications of a batch, for the person who signed the first; empty when only rows do. */
export function describeGateChanges(from: GateNumbers, to: GateNumbers): string[] {
  const names = [...new Set([...Object.keys(from.gates), ...Object.keys(to.gates)])].sort();
  const gates = names.flatMap((name) => {
    const [was, is] = [from.gates[name], to.gates[name]];
    if (was === undefined) return [`gate ${name} is new`];
    if (is === undefined) return [`gate ${name} is gone`];
    return [
      ...difference(`gate ${name} observed`, was.observed, is.observed),
      ...difference(`gate ${name} allows`, was.threshold, is.threshold),
    ];
  });
  return [...difference('rows to publish', from.rowCount, to.rowCount), ...gates];
}

function difference(what: string, was: number | null, is: number | null): string[] {
  return was === is ? [] : [`${what}: ${was ?? 'nothing'} became ${is ?? 'nothing'}`];
}
