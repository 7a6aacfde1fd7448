import { formatShort } from '../gate-meanings.ts';
import { OUTCOME_KINDS, type OutcomeKind } from '../outcome-kinds.ts';
import type { Html } from '../page/html.ts';
import { shortName } from '../page/short-name.ts';
import type { Report, ReportFile } from '../report.ts';
import { drawChart } from './draw-chart.ts';

/** More files than this flow together. */
const MAX_FILES = 6;
/** For each node of a column, and for the flow itself. */
const [ROW_HEIGHT, FLOW_HEIGHT] = [28, 170];

interface FlowNode {
  name: string;
  label: string;
  colour: string;
  lines: number;
}

/** The balance as a flow: files, lines read, outcomes. Undefined where no line was read. */
export function drawBalanceFlow(report: Report, isNarrow: boolean): Html | undefined {
  const { balance, files } = report;
  if (balance.read === 0) return undefined;
  const sources = isNarrow || files.length < 2 ? [] : fileNodes(files);
  const outcomes = OUTCOME_KINDS.filter(({ kind }) => balance[kind] > 0).map((outcome) =>
    outcomeNode(outcome, balance[outcome.kind]),
  );
  const read = {
    name: 'read',
    label: `${formatShort(balance.read)} lines read`,
    colour: 'var(--ink-3)',
    lines: balance.read,
  };
  const nodes = [...sources, read, ...outcomes];
  const height = Math.max(sources.length, outcomes.length) * ROW_HEIGHT + FLOW_HEIGHT;
  return drawChart(
    {
      series: {
        type: 'sankey',
        silent: true,
        left: 4,
        right: isNarrow ? 132 : 190,
        top: 16,
        bottom: 16,
        nodeWidth: 10,
        nodeGap: 26,
        layoutIterations: 0,
        label: { color: 'var(--ink)', fontSize: 13, distance: 8, formatter: labelOf(nodes) },
        lineStyle: { color: 'var(--flow)', opacity: 1 },
        data: nodes.map(({ name, colour }) => ({
          name,
          itemStyle: { color: colour, borderColor: colour, borderWidth: 1.5 },
        })),
        links: [
          ...sources.map(({ name, lines }) => ({ source: name, target: 'read', value: lines })),
          ...outcomes.map(({ name, lines }) => ({ source: 'read', target: name, value: lines })),
        ],
      },
    },
    { width: isNarrow ? 340 : 920, height },
  );
}

function labelOf(nodes: readonly FlowNode[]): (node: { name: string }) => string {
  const labels = new Map(nodes.map(({ name, label }) => [name, label]));
  return ({ name }) => labels.get(name) ?? '';
}

/** The largest files, and one for all others. */
function fileNodes(files: readonly ReportFile[]): FlowNode[] {
  const bySize = files.filter(({ read }) => read > 0).toSorted((a, b) => b.read - a.read);
  const own = bySize.length > MAX_FILES ? bySize.slice(0, MAX_FILES - 1) : bySize;
  const rest = bySize.slice(own.length);
  const nodes = own.map(({ source_file, read }, at) => ({
    ...{ name: `file ${at}`, colour: 'var(--before)', lines: read },
    label: `${shortName(source_file, 26)}  ${formatShort(read)}`,
  }));
  if (rest.length === 0) return nodes;
  const lines = rest.reduce((sum, { read }) => sum + read, 0);
  const label = `${rest.length} more files  ${formatShort(lines)}`;
  return [{ name: 'other files', label, colour: 'var(--before)', lines }, ...nodes];
}

function outcomeNode({ kind, title, colour }: OutcomeKind, lines: number): FlowNode {
  return { name: `outcome ${kind}`, label: `${title}  ${formatShort(lines)}`, colour, lines };
}
