import type { BatchDetail } from '../client/batch-view.ts';
import { batchStages, type Stage } from './batch-stages.ts';
import { formatCount, formatQuantity } from './format-number.ts';

const BAR_CELLS = 24;
const NAME_WIDTH = 'transform'.length;

/** A batch for a terminal: a headline, then a bar per stage. */
export function formatStageBars(batch: BatchDetail): string[] {
  return [formatHeadline(batch), ...batchStages(batch).map(formatStageBar)];
}

/** A batch on one line, for a pipe: its status and the stages at work. */
export function formatProgressLine(batch: BatchDetail): string {
  const atWork = batchStages(batch).filter(({ state }) => state === 'running' || state === 'stopped');
  const notes = atWork.map((stage) => `${stage.name} ${stageNote(stage)}`);
  return [formatHeadline(batch), ...notes].join('  ');
}

function formatHeadline({ batch_id, status, status_reason }: BatchDetail): string {
  // Only for what went wrong: the reason of a good status repeats it.
  const isWrong = status === 'halted' || status === 'failed' || status === 'gates_failed';
  return isWrong && status_reason !== null ? `${batch_id}  ${status}: ${status_reason}` : `${batch_id}  ${status}`;
}

function formatStageBar(stage: Stage): string {
  return `  ${stage.name.padEnd(NAME_WIDTH)}  ${stageBar(stage)}  ${stageNote(stage)}`.trimEnd();
}

function stageBar({ state, lines }: Stage): string {
  const share = lines === undefined || lines.total === 0 ? 0 : lines.done / lines.total;
  const full = state === 'done' ? BAR_CELLS : Math.floor(share * BAR_CELLS);
  return '█'.repeat(full) + '░'.repeat(BAR_CELLS - full);
}

function stageNote({ state, lines }: Stage): string {
  if (state === 'waiting') return '';
  if (lines === undefined) return state;
  if (state === 'done') return formatQuantity(lines.total, 'line');
  const soFar = `${formatCount(lines.done)} of ${formatQuantity(lines.total, 'line')}`;
  return state === 'stopped' ? `${soFar}, stopped` : soFar;
}
