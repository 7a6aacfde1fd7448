import type { AuditChainRow } from '../db/queries/audit-chain.ts';
import type { ChainProblem } from '../domain/find-chain-problem.ts';
import type { Finding } from '../domain/finding.ts';

const LOG = 'analytics.backfill_audit_log';
/** Where the database itself notes the end of the chain. Whoever changes the log can change it too. */
export const CHAIN_END = 'analytics.backfill_audit_chain';
const SETTING = 'AUDIT_KEY_FILE';
const RESTORE =
  'find out who could write to the database then, and restore the entries from a backup that has them; keep the archive as it is, it is the evidence';

/** `entry 3 is`, `entries 3 to 5 are`. */
const entriesAre = (first: number, last: number) =>
  first === last ? `entry ${first} is` : `entries ${first} to ${last} are`;

function describe(problem: ChainProblem): string {
  switch (problem.kind) {
    case 'changed':
      return `entry ${problem.chainNo} (audit_id ${problem.auditId}) is not what was sealed there: it was changed, or put there without the key`;
    case 'removed':
      return `${entriesAre(problem.first, problem.last)} missing, before audit_id ${problem.nextAuditId}: removed`;
    case 'inserted':
      return `entry ${problem.chainNo} (audit_id ${problem.auditId}) was inserted: no sealer has put it there`;
    case 'reordered': {
      const { chainNo, auditId, rightfulAuditId } = problem;
      const rightful = rightfulAuditId === undefined ? 'another entry' : `audit_id ${rightfulAuditId}`;
      return `entry ${chainNo} (audit_id ${auditId}) was moved: it belongs further back, and ${rightful} belongs there`;
    }
    case 'cut-off':
      return `the log was cut off: ${entriesAre(problem.first, problem.last)} missing from its end, as ${problem.where} says`;
    case 'rewritten':
      if (problem.where === CHAIN_END) return `its end was changed in ${CHAIN_END}: no such entry was sealed last`;
      return `the log was rewritten by somebody with its key: entry ${problem.chainNo} (audit_id ${problem.auditId}) is another than ${problem.where} says, and what follows after entry ${problem.agreedNo} may be too`;
  }
}

/** The first thing that is wrong with the log, for people. */
export function chainFindings(problem: ChainProblem | undefined): Finding[] {
  return problem === undefined ? [] : [{ subject: LOG, problem: describe(problem), remedy: RESTORE }];
}

/** Entries that have waited for their seal for too long. */
export function lateFindings(late: { entries: number; first_id: number | null; first_at: Date | null }): Finding[] {
  if (late.entries === 0) return [];
  const since = late.first_at?.toISOString() ?? '';
  const problem = `${late.entries} of its entries are not sealed yet, from audit_id ${late.first_id} of ${since} on, and not protected`;
  const remedy =
    'start the services, which seal them; if they run, their log says why they cannot ("the audit log cannot be sealed")';
  return [{ subject: LOG, problem, remedy }];
}

/** The environment has no key. */
export function missingKeyFinding(): Finding {
  const remedy = `set it to the file with the key of the services (at least 32 bytes; a new one: openssl rand -hex 32)`;
  return { subject: SETTING, problem: 'it is not set, so that the audit log cannot be sealed or verified', remedy };
}

/** The environment has another key than the log was sealed with. Says nothing about the log. */
export function otherKeyFinding(): Finding {
  const problem = 'it holds another key than the one that the audit log is sealed with';
  return { subject: SETTING, problem, remedy: 'set it to that key; without it the log cannot be verified any more' };
}

/** What is wrong with the row about the chain's end. @param heads in the archive */
export function anchorFindings(
  chain: AuditChainRow | undefined,
  keyCheck: string,
  heads: readonly { chain_no: number }[],
): Finding[] {
  const subject = CHAIN_END;
  if (chain === undefined) return [{ subject, problem: 'its row is gone', remedy: RESTORE }];
  const findings: Finding[] = [];
  if (chain.key_check !== null && chain.key_check !== keyCheck) {
    findings.push({ subject, problem: 'its key_check was changed', remedy: RESTORE });
  }
  if (chain.anchored_no > 0 && !heads.some(({ chain_no }) => chain_no === chain.anchored_no)) {
    const problem = `the head at entry ${chain.anchored_no}, which was anchored, is not in the archive`;
    const remedy = 'restore audit/heads/ of the archive bucket, and see to it that nothing there expires or is deleted';
    findings.push({ subject: 'archive bucket', problem, remedy });
  }
  return findings;
}

/** A head that cannot be trusted. */
export function badHeadFinding(where: string, problem: string): Finding {
  const remedy = 'find out who could write to the archive bucket, and restore the object if it had another content';
  return { subject: where, problem, remedy };
}
