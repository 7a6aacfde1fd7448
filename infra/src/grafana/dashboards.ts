import path from 'node:path';
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { REPOSITORY_ROOT } from '../repository.ts';
import { oneBatch } from './one-batch.ts';
import { overview } from './overview.ts';
import { privacyAndResidency } from './privacy-and-residency.ts';
import { queuesAndWorkers } from './queues-and-workers.ts';

/** Where Grafana's provisioning reads them. */
export const DASHBOARDS_DIR = path.join(REPOSITORY_ROOT, 'infra/grafana/dashboards');

/** Every dashboard, by the name of its file. */
export function createDashboards(): Readonly<Record<string, Dashboard>> {
  return {
    'overview.json': overview(),
    'one-batch.json': oneBatch(),
    'queues-and-workers.json': queuesAndWorkers(),
    'privacy-and-residency.json': privacyAndResidency(),
  };
}

/** A dashboard as it stands in its file. */
export function formatDashboard(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}
