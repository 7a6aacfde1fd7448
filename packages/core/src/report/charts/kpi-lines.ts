import { formatShort } from '../gate-meanings.ts';
import type { Html } from '../page/html.ts';
import { shortName } from '../page/short-name.ts';
import type { KpiDay } from '../report.ts';
import { axisStyle } from './axis-style.ts';
import { drawChart } from './draw-chart.ts';

/** Beyond this many days a point of each would only thicken the line. */
const MAX_POINTS = 40;

/** A KPI per local day: live before the batch, with it, and the baseline; the lost days stand on a ground of their own. */
export function drawKpiLines(days: readonly KpiDay[], isShare: boolean, isNarrow: boolean): Html {
  const line = (key: 'live' | 'proposed' | 'baseline', colour: string, style: object) => ({
    ...{ type: 'line', name: key, silent: true, data: days.map((day) => day[key]), connectNulls: false },
    ...{ showSymbol: days.length <= MAX_POINTS, symbol: 'circle', symbolSize: 6 },
    itemStyle: { color: colour },
    lineStyle: { color: colour, width: 2, ...style },
  });
  const format = isShare ? (value: number) => `${Number((value * 100).toPrecision(3))} %` : formatShort;
  return drawChart(
    {
      grid: { left: 8, right: 16, top: 12, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
      xAxis: {
        type: 'category',
        data: days.map(({ day }) => shortName(day, 10)),
        ...axisStyle(),
        axisTick: { show: false },
      },
      yAxis: [
        {
          ...{ type: 'value', splitNumber: 4, scale: isShare },
          ...axisStyle({ axisLabel: { formatter: format }, axisLine: { show: false } }),
        },
        { type: 'value', min: 0, max: 1, show: false },
      ],
      series: [
        {
          ...{ type: 'bar', name: 'lost', silent: true, yAxisIndex: 1, barCategoryGap: '0%', z: 0 },
          data: days.map(({ in_window }) => (in_window ? 1 : null)),
          itemStyle: { color: 'var(--lost)' },
        },
        line('baseline', 'var(--ink-3)', { type: 'dotted' }),
        line('live', 'var(--before)', { type: 'dashed' }),
        line('proposed', 'var(--good)', {}),
      ],
    },
    { width: isNarrow ? 340 : 920, height: isNarrow ? 200 : 260 },
  );
}
