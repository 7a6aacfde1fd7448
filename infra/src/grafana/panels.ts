import { PanelBuilder as BarGauge } from '@grafana/grafana-foundation-sdk/bargauge';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import {
  BarGaugeDisplayMode,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  GraphGradientMode,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  SortOrder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizOrientation,
} from '@grafana/grafana-foundation-sdk/common';
import {
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  type Panel,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMap,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StateTimeline } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeSeries } from '@grafana/grafana-foundation-sdk/timeseries';

/** The variable by which a viewer chooses among Prometheus servers. */
export const DATASOURCE = { type: 'prometheus', uid: `\${datasource}` };

type Colour = 'yellow' | 'orange' | 'red' | 'green';

/** From a value on, a colour. */
export type Steps = readonly (readonly [from: number, colour: Colour])[];

/** A query and the name of its series; `{{label}}` in the name is the series' label. */
export type Query = readonly [expression: string, legend: string];

/** What every panel is told. */
export interface PanelText {
  title: string;
  /** What it shows and what to do about it, for somebody who sees it for the first time. */
  description: string;
  /** A unit of Grafana's (`short`, `s`, `bytes`, `percentunit`, …). */
  unit: string;
  /** In 24ths of the dashboard's width. A row's panels have to add up to 24. */
  width: number;
  /** In grid units of 30 pixels; 4 for a number and 8 for a graph unless told. */
  height?: number;
  /** The colour below the first step; green unless told. */
  base?: Colour;
  steps?: Steps;
  mappings?: readonly ValueMap[];
  queries: readonly Query[];
}

/** Names and colours instead of numbers or texts. */
export function valueMap(options: ValueMap['options']): ValueMap {
  return { type: MappingType.ValueToText, options };
}

function thresholds(steps: Steps, base: Colour = 'green'): ThresholdsConfigBuilder {
  const lowest: Threshold = { value: null, color: base };
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps([lowest, ...steps.map(([value, color]) => ({ value, color }))]);
}

function target([expression, legend]: Query, index: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .refId(String.fromCharCode(65 + index))
    .expr(expression)
    .legendFormat(legend);
}

/** What all kinds of panels have in common; each kind has builders of its own with the same names. */
function describe<B extends Stat | TimeSeries | Table | BarGauge | StateTimeline>(builder: B, text: PanelText): B {
  const { title, description, unit, width, steps = [], base, mappings = [] } = text;
  builder.title(title).description(description).unit(unit).datasource(DATASOURCE).span(width);
  builder.thresholds(thresholds(steps, base)).mappings([...mappings]);
  return builder;
}

function lastValue(): common.ReduceDataOptionsBuilder {
  return new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields('').values(false);
}

/** One number per series, as it is now. `showName` writes the series' name instead of its value. */
export function stat(text: PanelText & { showName?: boolean }): Builder<Panel> {
  const panel = describe(new Stat(), text)
    .height(text.height ?? 4)
    .reduceOptions(lastValue())
    .colorMode(BigValueColorMode.Value)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .graphMode(BigValueGraphMode.None)
    .textMode(text.showName === true ? BigValueTextMode.Name : BigValueTextMode.Auto);
  text.queries.forEach((query, index) => {
    panel.withTarget(target(query, index).instant());
  });
  return panel;
}

/** Bars of what there is now, one per series. */
export function bars(text: PanelText & { max?: number }): Builder<Panel> {
  const panel = describe(new BarGauge(), text)
    .height(text.height ?? 8)
    .min(0)
    .orientation(VizOrientation.Horizontal)
    .displayMode(BarGaugeDisplayMode.Basic)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .reduceOptions(lastValue());
  if (text.max !== undefined) panel.max(text.max);
  text.queries.forEach((query, index) => {
    panel.withTarget(target(query, index).instant());
  });
  return panel;
}

/** Lines over time; steps are drawn as dashed lines. */
export function graph(text: PanelText & { stacked?: boolean }): Builder<Panel> {
  const panel = describe(new TimeSeries(), text)
    .height(text.height ?? 8)
    .min(0)
    .lineWidth(1)
    .fillOpacity(text.stacked === true ? 30 : 8)
    .gradientMode(GraphGradientMode.Opacity)
    .showPoints(VisibilityMode.Never)
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .calcs(['lastNotNull', 'max']),
    )
    .tooltip(new common.VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  if (text.stacked === true) panel.stacking(new common.StackingConfigBuilder().mode(StackingMode.Normal));
  if ((text.steps ?? []).length > 0) {
    panel.thresholdsStyle(new common.GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  }
  text.queries.forEach((query, index) => {
    panel.withTarget(target(query, index).range());
  });
  return panel;
}

/** Which of a few states each series had when. */
export function states(text: PanelText): Builder<Panel> {
  const panel = describe(new StateTimeline(), text)
    .height(text.height ?? 8)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .showValue(VisibilityMode.Auto)
    .mergeValues(true)
    .fillOpacity(70)
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(false)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .calcs([]),
    );
  text.queries.forEach((query, index) => {
    panel.withTarget(target(query, index).range());
  });
  return panel;
}

/** A column of a table: its query, whose value it shows, or a label. */
export interface Column {
  /** `Value #A` of the first query, `Value #B` of the second, or a label's name. */
  field: string;
  title: string;
  /** Where it is not the panel's. */
  unit?: string;
  steps?: Steps;
  mappings?: readonly ValueMap[];
  /** A page for the value: `${__value.raw}` in it is the value. */
  link?: { title: string; url: string };
}

function columnProperties({ unit, steps, mappings, link }: Column): { id: string; value: unknown }[] {
  const properties: { id: string; value: unknown }[] = [];
  if (unit !== undefined) properties.push({ id: 'unit', value: unit });
  if (mappings !== undefined) properties.push({ id: 'mappings', value: mappings });
  if (steps !== undefined) {
    properties.push({ id: 'thresholds', value: thresholds(steps).build() });
    properties.push({ id: 'custom.cellOptions', value: { type: 'color-text' } });
  }
  if (link !== undefined) properties.push({ id: 'links', value: [link] });
  return properties;
}

/** A row per set of labels, joined over all queries; only the given columns are shown, in this order. */
export function table(text: PanelText & { columns: readonly Column[]; sortBy?: string }): Builder<Panel> {
  const { columns, sortBy } = text;
  const panel = describe(new Table(), text)
    .height(text.height ?? 8)
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'filterFieldsByName',
      options: { include: { names: columns.map(({ field }) => field) } },
    })
    .withTransformation({
      id: 'organize',
      options: {
        indexByName: Object.fromEntries(columns.map(({ field }, index) => [field, index])),
        renameByName: Object.fromEntries(columns.map(({ field, title }) => [field, title])),
      },
    });
  if (sortBy !== undefined) {
    panel.sortBy([new common.TableSortByFieldStateBuilder().displayName(sortBy).desc(true)]);
  }
  for (const column of columns) {
    const properties = columnProperties(column);
    if (properties.length > 0) panel.overrideByName(column.title, properties);
  }
  text.queries.forEach((query, index) => {
    panel.withTarget(target(query, index).instant().format(PromQueryFormat.Table));
  });
  return panel;
}
