import type { DayTotal } from '../count-totals.ts';
import { formatShort } from '../gate-meanings.ts';
import type { Html } from '../page/html.ts';
import { shortName } from '../page/short-name.ts';
import { axisStyle } from './axis-style.ts';
import { drawChart } from './draw-chart.ts';

/** Events per day: what was live before and stays, and what the batch adds on top. */
export function drawDayBars(days: readonly DayTotal[], isNarrow: boolean): Html {
  const bar = (name: string, colour: string, counts: number[]) => ({
    ...{ type: 'bar', name, stack: 'events', silent: true, data: counts, barMaxWidth: 56, barCategoryGap: '18%' },
    itemStyle: { color: colour },
  });
  return drawChart(
    {
      grid: { left: 8, right: 12, top: 12, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
      xAxis: {
        type: 'category',
        data: days.map(({ day }) => shortName(day, 10)),
        ...axisStyle(),
        axisTick: { show: false },
      },
      yAxis: {
        ...{ type: 'value', minInterval: 1, splitNumber: 4 },
        ...axisStyle({ axisLabel: { formatter: formatShort }, axisLine: { show: false } }),
      },
      series: [
        bar(
          'before',
          'var(--before)',
          days.map(({ before, replaced }) => before - replaced),
        ),
        bar(
          'added',
          'var(--good)',
          days.map(({ added }) => added),
        ),
      ],
    },
    { width: isNarrow ? 340 : 920, height: isNarrow ? 200 : 260 },
  );
}
