import type { EChartsCoreOption } from 'echarts/core';
import { install as BarChart } from 'echarts/lib/chart/bar/install.js';
import { install as LineChart } from 'echarts/lib/chart/line/install.js';
import { install as SankeyChart } from 'echarts/lib/chart/sankey/install.js';
import { install as GridComponent } from 'echarts/lib/component/grid/install.js';
import { init } from 'echarts/lib/core/echarts.js';
import { use } from 'echarts/lib/extension.js';
import { install as SVGRenderer } from 'echarts/lib/renderer/installSVGRenderer.js';
import { Html } from '../page/html.ts';

use([BarChart, LineChart, SankeyChart, GridComponent, SVGRenderer]);

/** Of a drawing, in its own units; the page scales it. */
export interface ChartSize {
  width: number;
  height: number;
}

/**
 * Draws a chart as SVG. Colours are the page's variables, so that it fits light, dark and paper. What it tells stands in
 * the page as text too, so for readers of the page's text it is not there.
 */
export function drawChart(option: EChartsCoreOption, size: ChartSize): Html {
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...size });
  try {
    chart.setOption({ animation: false, textStyle: { color: 'var(--ink-2)', fontFamily: 'inherit' }, ...option });
    return new Html(cleanSvg(chart.renderToSVGString(), size));
  } finally {
    chart.dispose();
  }
}

/** Takes out all elements of a name that has no other beside it, with what is in them. */
function withoutElements(svg: string, name: string): string {
  const [before = '', ...rest] = svg.split(`<${name}`);
  const end = `</${name}>`;
  return [before, ...rest.map((text) => text.slice(text.indexOf(end) + end.length))].join('');
}

/** Takes out the first rectangle that is not filled: the library's background. */
function withoutBackground(svg: string): string {
  for (let start = svg.indexOf('<rect '); start >= 0; start = svg.indexOf('<rect ', start + 1)) {
    const end = svg.indexOf('></rect>', start);
    if (svg.slice(start, end).includes('fill="none"')) return svg.slice(0, start) + svg.slice(end + '></rect>'.length);
  }
  return svg;
}

/**
 * Takes out what the drawing has for scripts and pointers, its styles (the page has one style sheet, and allows no other),
 * and its fixed size. Texts in it are escaped, so that no quote or angle bracket of theirs is met here.
 */
function cleanSvg(svg: string, { width, height }: ChartSize): string {
  return (
    // Definitions are only for an animation; the library numbers them, and no two drawings would be alike.
    withoutBackground(withoutElements(withoutElements(svg, 'style'), 'defs'))
      .replace(
        / (?:style|class|clip-path|pointer-events|ecmeta_[a-z_]+|xmlns(?::xlink)?|version|baseProfile)="[^"]*"/g,
        '',
      )
      .replace(/^\s*<svg [^>]*>/, `<svg viewBox="0 0 ${width} ${height}" aria-hidden="true" focusable="false">`)
      .replace(/>\n+</g, '><')
  );
}
