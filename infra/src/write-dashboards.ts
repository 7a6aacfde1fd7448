// Writes Grafana's dashboards anew: node infra/src/write-dashboards.ts (npm run dashboards).
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createDashboards, DASHBOARDS_DIR, formatDashboard } from './grafana/dashboards.ts';

for (const [name, dashboard] of Object.entries(createDashboards())) {
  await writeFile(path.join(DASHBOARDS_DIR, name), formatDashboard(dashboard));
}
