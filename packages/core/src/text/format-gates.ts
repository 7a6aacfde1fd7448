import type { GateView } from '../client/batch-view.ts';
import { formatMeasure } from './format-number.ts';
import { formatTable } from './format-table.ts';

/** The gates of a batch, one a line: what was observed, against what, and the verdict. */
export function formatGates(gates: readonly GateView[]): string[] {
  return formatTable(
    [
      { heading: 'gate', align: 'left' },
      { heading: 'observed', align: 'right' },
      { heading: 'threshold', align: 'right' },
      { heading: '', align: 'left' },
    ],
    gates.map(({ gate, observed, threshold, passed, detail }) =>
      detail?.not_applicable === undefined
        ? [gate, formatMeasure(observed), formatMeasure(threshold), passed ? 'passed' : 'FAILED']
        : [gate, '–', formatMeasure(threshold), 'not applicable'],
    ),
  );
}
