import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { AnchoredHead } from '../domain/audit-chain.ts';
import { tryParseJson } from '../domain/try-json.ts';
import { AUDIT_HEADS, REPORTS } from '../storage/layout.ts';
import type { ObjectStore } from '../storage/object-store.ts';

/** What stands in the archive where a head should be; `head` is undefined when it is none. */
export interface ArchivedHead {
  /** For people: `s3://bucket/key`. */
  where: string;
  /** False for the copy that a report carries. */
  isAnchor: boolean;
  head: AnchoredHead | undefined;
}

const AT_ONCE = 16;
/** Reports from before there were heads, and of batches of before the first entry, have none. */
const ReportWithHead = z.object({ audit_head: AnchoredHead });

async function readHead(store: ObjectStore, bucket: string, key: string): Promise<ArchivedHead | undefined> {
  const json = tryParseJson(await text(await store.get(bucket, key)));
  const where = `s3://${bucket}/${key}`;
  if (key.startsWith(AUDIT_HEADS)) return { where, isAnchor: true, head: AnchoredHead.safeParse(json).data };
  const head = ReportWithHead.safeParse(json).data?.audit_head;
  return head && { where, isAnchor: false, head };
}

/** Reads every head of the audit log in the archive bucket: those anchored, and those in reports. */
export async function readAuditHeads(store: ObjectStore, bucket: string): Promise<ArchivedHead[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(bucket, AUDIT_HEADS)) keys.push(key);
  for await (const { key } of store.list(bucket, REPORTS)) if (key.endsWith('/report.json')) keys.push(key);
  const found: (ArchivedHead | undefined)[] = [];
  for (let next = 0; next < keys.length; next += AT_ONCE) {
    const some = keys.slice(next, next + AT_ONCE).map((key) => readHead(store, bucket, key));
    found.push(...(await Promise.all(some)));
  }
  return found.filter((head) => head !== undefined);
}
