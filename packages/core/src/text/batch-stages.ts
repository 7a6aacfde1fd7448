import type { BatchDetail } from '../client/batch-view.ts';
import type { BatchStatus } from '../domain/batch-status.ts';

/** The stages of a batch in the order of its journey. */
export const STAGES = ['plan', 'mirror', 'transform', 'import', 'verify', 'publish'] as const;
export type StageName = (typeof STAGES)[number];

/** Stopped: the batch halted or failed in this stage, or its gates did not pass. */
export type StageState = 'waiting' | 'running' | 'done' | 'stopped';

export interface Stage {
  name: StageName;
  state: StageState;
  /** Lines done and in all, for the stages that work line by line. */
  lines?: { done: number; total: number };
}

/** The stage that a status stands for (import for both that run at once); before it all is done. */
const CURRENT: Readonly<Record<BatchStatus, StageName | 'none' | 'unknown'>> = {
  submitted: 'plan',
  planning: 'plan',
  awaiting_run_approval: 'mirror',
  preparing: 'mirror',
  canary: 'import',
  importing: 'import',
  verifying: 'verify',
  gates_failed: 'verify',
  awaiting_publish_approval: 'publish',
  publishing: 'publish',
  published: 'none',
  halted: 'unknown',
  failed: 'unknown',
  rolling_back: 'unknown',
  rolled_back: 'unknown',
};

/** Where each stage of a batch stands. Empty for a batch that is being taken back, or was. */
export function batchStages(batch: BatchDetail): Stage[] {
  const { status } = batch;
  if (status === 'rolling_back' || status === 'rolled_back') return [];
  const total = batch.files.reduce((sum, file) => sum + file.lines, 0);
  const known = CURRENT[status];
  const current = known === 'unknown' ? whereItStopped(batch, total) : known;
  const state = stateOfCurrent(status);
  return STAGES.map((name) => {
    if (name === 'transform' || name === 'import') return lineStage(name, batch, total, current, state);
    return { name, state: stateBeside(name, current) ?? state };
  });
}

function stateOfCurrent(status: BatchStatus): StageState {
  if (status === 'halted' || status === 'failed' || status === 'gates_failed') return 'stopped';
  return status.startsWith('awaiting_') ? 'waiting' : 'running';
}

/** Done before the current stage, waiting after it, undefined for the current one itself. */
function stateBeside(name: StageName, current: StageName | 'none'): StageState | undefined {
  if (current === 'none') return 'done';
  const distance = STAGES.indexOf(name) - STAGES.indexOf(current);
  if (distance === 0) return undefined;
  return distance < 0 ? 'done' : 'waiting';
}

/** Transform and import run at the same time, each as far as its lines say. */
function lineStage(
  name: 'transform' | 'import',
  batch: BatchDetail,
  total: number,
  current: StageName | 'none',
  state: StageState,
): Stage {
  const done = name === 'transform' ? batch.progress.lines_read : batch.balance.read;
  const lines = { done, total };
  const isOver = total > 0 && done === total;
  const stateNow = current === 'import' ? (isOver ? 'done' : state) : stateBeside(name, current);
  return stateNow === undefined || stateNow === 'waiting'
    ? { name, state: 'waiting' }
    : { name, state: stateNow, lines };
}

/** The stage in which a batch came to a halt, told by what there is of it. */
function whereItStopped(batch: BatchDetail, total: number): StageName {
  if (batch.plan_hash === null) return 'plan';
  if (batch.gates.length > 0) return batch.gates.every(({ passed }) => passed) ? 'publish' : 'verify';
  if (batch.progress.lines_read === 0) return 'mirror';
  return batch.balance.read < total ? 'import' : 'verify';
}
