import type { BatchDetail, GateView } from '../client/batch-view.ts';
import { OUTCOMES } from '../domain/balance.ts';
import { batchStages, type Stage, type StageName } from './batch-stages.ts';
import { formatDuration } from './format-duration.ts';
import { formatCount, formatMeasure, formatQuantity } from './format-number.ts';
import { formatTable } from './format-table.ts';

/** Lines per second by stage, of those that work line by line and were seen long enough. */
export type StageRates = Partial<Record<StageName, number | undefined>>;

const NAME_WIDTH = 'transform'.length;
const INDENT = '  ';
/** What stands before a stage's bar, and under which the rest is lined up. */
const BEFORE_BAR = INDENT.length * 2 + NAME_WIDTH;
/** Bars are as long as there is room for: of these lengths, so that they do not jump with each digit. */
const BAR_CELLS = [24, 16, 8] as const;
const DEFAULT_COLUMNS = 80;

/**
 * A batch for a terminal: a headline, a bar per stage with its rate and time left, the balance so far, and the gates that
 * were measured.
 *
 * @param columns of the terminal; what does not fit is told shorter
 */
export function formatStageBars(batch: BatchDetail, rates: StageRates = {}, columns = DEFAULT_COLUMNS): string[] {
  const stages = batchStages(batch);
  const notes = stages.map((stage) => stageNotes(stage, rates[stage.name]));
  // The last column stays free, see LiveBlock.
  const { cells, form } = chooseLayout(notes, columns - 1 - BEFORE_BAR);
  return [
    formatHeadline(batch),
    ...stages.map((stage, index) => {
      const bar = stageBar(stage, cells);
      return `${INDENT}${stage.name.padEnd(NAME_WIDTH)}${INDENT}${bar}  ${nth(notes[index], form)}`.trimEnd();
    }),
    ...formatBalanceSoFar(batch, columns - 1),
    ...formatGateLines(batch.gates).map((line) => `${INDENT}${line}`),
  ];
}

/** A batch on one line, for a pipe: its status and the stages at work. */
export function formatProgressLine(batch: BatchDetail, rates: StageRates = {}): string {
  const atWork = batchStages(batch).filter(({ state }) => state === 'running' || state === 'stopped');
  const notes = atWork.map((stage) => `${stage.name} ${nth(stageNotes(stage, rates[stage.name]), 0)}`);
  return [formatHeadline(batch), ...notes].join('  ');
}

/** Gates, one a line, the verdict first: narrow terminals cut the end. */
export function formatGateLines(gates: readonly GateView[]): string[] {
  const column = { heading: '', align: 'left' } as const;
  return formatTable(
    [column, column, column],
    gates.map(({ gate, observed, threshold, passed, detail }) =>
      detail?.not_applicable === undefined
        ? [passed ? 'passed' : 'FAILED', gate, `${formatMeasure(observed)} of ${formatMeasure(threshold)}`]
        : ['n/a', gate, ''],
    ),
  );
}

function formatHeadline({ batch_id, status, status_reason }: BatchDetail): string {
  // Only for what went wrong: the reason of a good status repeats it.
  const isWrong = status === 'halted' || status === 'failed' || status === 'gates_failed';
  return isWrong && status_reason !== null ? `${batch_id}  ${status}: ${status_reason}` : `${batch_id}  ${status}`;
}

/** The form of a note, or its shortest one. */
function nth(forms: readonly string[] | undefined, form: number): string {
  return forms?.[form] ?? forms?.at(-1) ?? '';
}

/** The longest form of the notes, and then the longest bars, that there is room for. */
function chooseLayout(notes: readonly string[][], room: number): { cells: number; form: number } {
  const forms = Math.max(1, ...notes.map((one) => one.length));
  for (let form = 0; form < forms; form += 1) {
    const longest = Math.max(0, ...notes.map((one) => nth(one, form).length));
    const cells = BAR_CELLS.find((length) => length + INDENT.length + longest <= room);
    if (cells !== undefined) return { cells, form };
  }
  return { cells: BAR_CELLS.at(-1) ?? 0, form: forms - 1 };
}

function stageBar({ state, lines }: Stage, cells: number): string {
  const share = lines === undefined || lines.total === 0 ? 0 : Math.min(1, lines.done / lines.total);
  const full = state === 'done' ? cells : Math.floor(share * cells);
  return '█'.repeat(full) + '░'.repeat(cells - full);
}

/** What is said about a stage, from the longest form to the shortest. */
function stageNotes({ state, lines }: Stage, rate: number | undefined): string[] {
  if (state === 'waiting') return [''];
  if (lines === undefined) return [state];
  const { done, total } = lines;
  if (state === 'done') return [formatQuantity(total, 'line'), formatCount(total)];
  const [soFar, short] = [`${formatCount(done)} of ${formatQuantity(total, 'line')}`, percentOf(done, total)];
  if (state === 'stopped') return [`${soFar}, stopped`, `${short}, stopped`];
  if (rate === undefined) return [soFar, short];
  const pace = `${formatCount(rate)}/s`;
  const left = rate > 0 && done < total ? `, ${formatDuration((total - done) / rate)} left` : '';
  return [`${soFar}, ${pace}${left}`, `${short}, ${pace}${left}`, `${short}${left}`, short];
}

function percentOf(done: number, total: number): string {
  return total === 0 ? '0 %' : `${Math.floor((100 * done) / total)} %`;
}

/** `balance    500 read = 490 inserted + 10 duplicate`, in as many lines as it takes. */
function formatBalanceSoFar({ balance }: BatchDetail, width: number): string[] {
  if (balance.read === 0) return [];
  const ends = OUTCOMES.filter((outcome) => balance[outcome] > 0).map(
    (outcome, index) => `${index === 0 ? '=' : '+'} ${formatCount(balance[outcome])} ${outcome}`,
  );
  const lines: string[] = [];
  let line = `${INDENT}${'balance'.padEnd(NAME_WIDTH)}${INDENT}${formatCount(balance.read)} read`;
  for (const end of ends) {
    if (line.length + 1 + end.length <= width) {
      line += ` ${end}`;
      continue;
    }
    lines.push(line);
    line = ' '.repeat(BEFORE_BAR) + end;
  }
  return [...lines, line];
}
