import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  type Panel,
  RowBuilder,
  type VariableModel,
} from '@grafana/grafana-foundation-sdk/dashboard';

/** The uids of the dashboards, by which they link to each other. */
export const UIDS = {
  overview: 'backfill-overview',
  batch: 'backfill-batch',
  workers: 'backfill-workers',
  privacy: 'backfill-privacy',
} as const;

/** Where Grafana serves the runbook: `docs/runbook.md` is mounted into its public folder. */
const RUNBOOK_URL = '/public/runbook.md';
const TAG = 'backfill';

/** Panels under a heading. */
export interface Row {
  title: string;
  panels: readonly Builder<Panel>[];
}

interface DashboardText {
  uid: string;
  title: string;
  description: string;
  /** Besides the choice of a Prometheus server. */
  variables?: readonly Builder<VariableModel>[];
  rows: readonly Row[];
}

function linkToOthers(): DashboardLinkBuilder {
  return new DashboardLinkBuilder('Backfill')
    .type(DashboardLinkType.Dashboards)
    .tags([TAG])
    .asDropdown(false)
    .includeVars(false)
    .keepTime(true)
    .icon('external link')
    .tooltip('The other dashboards');
}

function linkToRunbook(): DashboardLinkBuilder {
  return new DashboardLinkBuilder('Runbook')
    .type(DashboardLinkType.Link)
    .url(RUNBOOK_URL)
    .icon('doc')
    .targetBlank(true)
    .tooltip('What each alert means, and what to do');
}

/** What the library leaves open or sets for the newest Grafana only. */
function finish(dashboard: Dashboard): Dashboard {
  const panels = dashboard.panels?.map((panel, index) => ({ ...panel, id: index + 1 }));
  // By default links are hidden in a menu.
  const links = dashboard.links?.map(({ placement: _placement, ...link }) => link);
  return { ...dashboard, id: null, editable: false, annotations: { list: [] }, panels, links } as Dashboard;
}

/** A dashboard as Grafana's provisioning takes it. */
export function createDashboard({ uid, title, description, variables = [], rows }: DashboardText): Dashboard {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags([TAG])
    .refresh('30s')
    .time({ from: 'now-6h', to: 'now' })
    .timezone('utc')
    .tooltip(DashboardCursorSync.Crosshair)
    .link(linkToOthers())
    .link(linkToRunbook())
    .withVariable(
      new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus').allowCustomValue(false),
    );
  for (const variable of variables) builder.withVariable(variable);
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title));
    for (const panel of row.panels) builder.withPanel(panel);
  }
  return finish(builder.build());
}
