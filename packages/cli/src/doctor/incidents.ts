import { listOverdueIncidents } from '@backfill/core/db/queries/incident-list-overdue';
import type { Check } from './check.ts';

/** Named; more than that is a matter for a meeting. */
const MOST = 20;

/** Incidents that are open past the day their post-mortem was due. */
export const incidents: Check = {
  name: 'incidents',
  needs: ['database', 'schema'],
  async find({ pool }) {
    const overdue = await listOverdueIncidents(pool, MOST);
    return overdue.map(({ batch_id, incident_id, kind, post_mortem_due }) => ({
      subject: `incident ${incident_id} of ${batch_id}`,
      problem: `its post-mortem (${kind}) was due on ${post_mortem_due.toISOString()}`,
      remedy: `write it, then ./backfill incident ${batch_id} --close ${incident_id} --note URL`,
    }));
  },
};
