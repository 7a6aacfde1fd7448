import type { Client } from '../pool.ts';

/** Writes down in the audit log that a batch's books were amended. */
export async function recordErased(client: Client, batchId: string, detail: object): Promise<void> {
  await client.query(`select analytics.record_audit($1, 'erased', $2::jsonb)`, [batchId, JSON.stringify(detail)]);
}
