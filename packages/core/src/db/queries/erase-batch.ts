import type { PartBooks } from '../../erasure/amend-part-counts.ts';
import type { Client, Queryable } from '../pool.ts';
import type { BatchRow } from './batch-get.ts';

export interface LinePlace {
  file_no: number;
  line_no: number;
}

/** A line of the mirror that is to be emptied. */
export interface ErasedLine extends LinePlace {
  /** Whose it is. */
  erasure_id: number;
  /** What the recipe makes of it; what was imported or quarantined stands in the ledger. */
  was: 'filtered' | 'expired' | 'other';
}

/** Lines of a batch that the ledger knows to be about events of a person, or that the clear id has found. */
export async function listLinesOfPerson(
  db: Queryable,
  batchId: string,
  { erasureId, pseudonyms }: { erasureId: number; pseudonyms: readonly string[] },
): Promise<LinePlace[]> {
  const { rows } = await db.query<LinePlace>(
    `with event as (
       select event_id from analytics.events_backfill_staging where batch_id = $1 and subject_id = any ($3)
        union
       select event_id from analytics.backfill_erasure_events where erasure_id = $2
     )
     select f.file_no, r.line_no
       from analytics.backfill_event_checkpoint_raw r join analytics.backfill_files f using (batch_id, source_file)
      where r.batch_id = $1 and r.event_id in (select event_id from event)
      union
     select f.file_no, l.line_no
       from analytics.backfill_lineage l join analytics.backfill_files f using (batch_id, source_file)
      where l.batch_id = $1 and l.event_id in (select event_id from event)
      union
     select e.file_no, e.line_no
       from analytics.backfill_erasure_lines e join analytics.backfill_batches b using (batch_id, attempt)
      where e.erasure_id = $2 and e.batch_id = $1`,
    [batchId, erasureId, pseudonyms],
  );
  return rows;
}

/**
 * Holds a batch as it was found at rest until the transaction ends, with rollbacks of its source and whatever else could see its rows go.
 *
 * @returns undefined when it has moved on, something works for it, or objects of it are still being replaced
 */
export async function holdBatchAtRest(
  client: Client,
  { batch_id: batchId, attempt, status, epoch }: Pick<BatchRow, 'batch_id' | 'attempt' | 'status' | 'epoch'>,
): Promise<BatchRow | undefined> {
  await client.query(
    `select pg_advisory_xact_lock(7403116, hashtext(source)) from analytics.backfill_batches where batch_id = $1`,
    [batchId],
  );
  const { rows } = await client.query<BatchRow>(
    `select * from analytics.backfill_batches b
      where batch_id = $1 and attempt = $2 and status = $3 and epoch = $4
        and not exists (select 1 from analytics.backfill_erasure_objects o where o.batch_id = b.batch_id)
        -- A report that is being written would say what was before.
        and not exists (select 1 from analytics.backfill_outbox o where o.batch_id = b.batch_id)
        for update`,
    [batchId, attempt, status, epoch],
  );
  return rows[0];
}

/** Collects in temporary tables what is to go: the lines, and the events of the person that the batch has anything of. */
export async function collectErased(
  client: Client,
  batchId: string,
  given: { erasureId: number; pseudonyms: readonly string[]; lines: readonly ErasedLine[]; events: readonly string[] },
): Promise<{ lines: number; events: string[] }> {
  const { erasureId, pseudonyms, lines, events } = given;
  await client.query(`select set_config('analytics.erasing', 'on', true)`);
  await client.query(
    `create temporary table erased_line (file_no integer, source_file text collate "C", line_no bigint, was text,
       erasure_id bigint, primary key (file_no, line_no)) on commit drop`,
  );
  await client.query(
    `create temporary table erased_event (event_id text collate "C" primary key, is_own boolean not null) on commit drop`,
  );
  const { rowCount } = await client.query(
    `insert into pg_temp.erased_line
     select l.file_no, f.source_file, l.line_no, l.was, l.erasure_id
       from jsonb_to_recordset($2::jsonb) as l (file_no integer, line_no bigint, was text, erasure_id bigint)
       join analytics.backfill_files f on f.batch_id = $1 and f.file_no = l.file_no
         on conflict do nothing`,
    [batchId, JSON.stringify(lines)],
  );
  const { rows } = await client.query<{ event_id: string }>(
    `insert into pg_temp.erased_event
     select event_id,
            exists (select 1 from analytics.events_log e
                     where e.event_id = found.event_id and e.batch_id = $1 and e.deleted_at is null)
            or exists (select 1 from analytics.backfill_erasure_events e
                        where e.erasure_id = $2 and e.event_id = found.event_id and e.batch_id = $1)
       from (select event_id from analytics.events_backfill_staging where batch_id = $1 and subject_id = any ($3)
              union
             select event_id from analytics.backfill_erasure_events where erasure_id = $2
              union
             select unnest($4::text[])
              union
             select r.event_id from analytics.backfill_event_checkpoint_raw r
               join pg_temp.erased_line using (source_file, line_no) where r.batch_id = $1
              union
             select l.event_id from analytics.backfill_lineage l
               join pg_temp.erased_line using (source_file, line_no) where l.batch_id = $1) as found
     returning event_id`,
    [batchId, erasureId, pseudonyms, events],
  );
  await client.query('analyze pg_temp.erased_line');
  await client.query('analyze pg_temp.erased_event');
  await client.query(
    `insert into analytics.backfill_erasure_events (erasure_id, event_id)
     select $1, event_id from pg_temp.erased_event order by event_id on conflict do nothing`,
    [erasureId],
  );
  return { lines: rowCount ?? 0, events: rows.map((row) => row.event_id) };
}

/** A part of the batch that has lines of the person, and what is known of how they are booked. */
export interface PartToAmend extends PartBooks {
  part_id: number;
  state: 'ready' | 'imported';
  object_key: string | null;
  /** Accepted lines that go, without those that are booked as suppressed already. */
  accepted: number;
  quarantined: number;
  filtered: number;
  expired: number;
  known: PartBooks;
}

/** Counts per part what of its lines goes, by what they are booked as. */
export async function listPartsToAmend(client: Client, batchId: string): Promise<PartToAmend[]> {
  const { rows } = await client.query<Omit<PartToAmend, 'known'> & Record<`known_${keyof PartBooks}`, number>>(
    `with part as (
       select p.*, f.source_file, p.first_line + p.line_count as end_line
         from analytics.backfill_import_parts p join analytics.backfill_files f using (batch_id, file_no)
        where p.batch_id = $1
     ), line as (
       select r.event_id, part.part_id, x.is_own,
              row_number() over (partition by r.event_id order by part.part_id, r.line_no) as nth
         from analytics.backfill_event_checkpoint_raw r
         join pg_temp.erased_event x using (event_id)
         join part on part.source_file = r.source_file and r.line_no >= part.first_line and r.line_no < part.end_line
        where r.batch_id = $1
     ), published as (
       -- A publish has booked anew what it has left out and taken over.
       select exists (select 1 from analytics.backfill_publishes p join analytics.backfill_batches b using (batch_id, attempt)
                       where p.batch_id = $1 and p.published is not null) as is_rebooked
     ), booked as (
       select line.part_id,
              case when not is_rebooked then 'unknown'
                   when nth > 1 then 'same_batch'
                   when is_own then 'inserted'
                   when lost.event_id is null then 'suppressed'
                   when lost.winner_batch_id is null then 'live' else 'other_batch' end as kind
         from line cross join published
         left join analytics.backfill_losers lost
                on lost.loser_batch_id = $1 and lost.event_id = line.event_id and not lost.only_withheld
     ), accepted as (
       select part_id, count(*) filter (where kind <> 'suppressed') as accepted,
              count(*) filter (where kind = 'inserted') as inserted, count(*) filter (where kind = 'same_batch') as same_batch,
              count(*) filter (where kind = 'other_batch') as other_batch, count(*) filter (where kind = 'live') as live
         from booked group by part_id
     ), staged as (
       select s.part_id, count(*) filter (where duplicate_kind is null) as inserted,
              count(*) filter (where duplicate_kind = 'same_batch') as same_batch,
              count(*) filter (where duplicate_kind = 'other_batch') as other_batch,
              count(*) filter (where duplicate_kind = 'live') as live
         from analytics.events_backfill_staging s join pg_temp.erased_event using (event_id) cross join published
        where s.batch_id = $1 and not is_rebooked group by s.part_id
     ), other as (
       select part.part_id, count(q.line_no) as quarantined,
              count(*) filter (where q.line_no is null and r.line_no is null and l.was = 'filtered') as filtered,
              count(*) filter (where q.line_no is null and r.line_no is null and l.was = 'expired') as expired
         from pg_temp.erased_line l
         join part on part.source_file = l.source_file and l.line_no >= part.first_line and l.line_no < part.end_line
         left join analytics.backfill_quarantine q
                on q.batch_id = $1 and q.source_file = l.source_file and q.line_no = l.line_no
         left join analytics.backfill_event_checkpoint_raw r
                on r.batch_id = $1 and r.source_file = l.source_file and r.line_no = l.line_no
        group by part.part_id
     )
     select part.part_id, part.state, part.object_key, part.inserted, part.duplicate_same_batch,
            part.duplicate_other_batch, part.duplicate_live,
            coalesce(a.accepted, 0) as accepted, coalesce(o.quarantined, 0) as quarantined,
            coalesce(o.filtered, 0) as filtered, coalesce(o.expired, 0) as expired,
            coalesce(s.inserted, a.inserted, 0) as known_inserted,
            coalesce(s.same_batch, a.same_batch, 0) as known_duplicate_same_batch,
            coalesce(s.other_batch, a.other_batch, 0) as known_duplicate_other_batch,
            coalesce(s.live, a.live, 0) as known_duplicate_live
       from part
       left join accepted a using (part_id) left join staged s using (part_id) left join other o using (part_id)
      where a.part_id is not null or o.part_id is not null
      order by part.part_id`,
    [batchId],
  );
  return rows.map(
    ({ known_inserted, known_duplicate_same_batch, known_duplicate_other_batch, known_duplicate_live, ...part }) => ({
      ...part,
      known: {
        inserted: known_inserted,
        duplicate_same_batch: known_duplicate_same_batch,
        duplicate_other_batch: known_duplicate_other_batch,
        duplicate_live: known_duplicate_live,
      },
    }),
  );
}

/** Objects of a batch's parts; only of those that have one of some lines, where they are given. */
export async function listPartObjects(db: Queryable, batchId: string, lines?: readonly LinePlace[]): Promise<string[]> {
  const { rows } = await db.query<{ object_key: string }>(
    `select distinct p.object_key from analytics.backfill_import_parts p
      where p.batch_id = $1 and p.object_key is not null
        and ($2::jsonb is null or exists (
              select 1 from jsonb_to_recordset($2::jsonb) as l (file_no integer, line_no bigint)
               where l.file_no = p.file_no and l.line_no >= p.first_line and l.line_no < p.first_line + p.line_count))
      order by 1`,
    [batchId, lines === undefined ? null : JSON.stringify(lines)],
  );
  return rows.map((row) => row.object_key);
}

/** What a part's ledger row says after an erasure. */
export interface AmendedPart {
  part_id: number;
  /** To be taken from the counts. */
  accepted: number;
  quarantined: number;
  filtered: number;
  expired: number;
  taken: PartBooks;
  /** The object in the place of the old one: null when no event is left, absent when it stays. */
  object?: { key: string; sha256: string; bytes: number } | null;
}

/** Books lines of a part as suppressed, whatever they were. */
export async function amendPart(client: Client, part: AmendedPart): Promise<void> {
  const { part_id: partId, accepted, quarantined, filtered, expired, taken, object } = part;
  await client.query(
    `update analytics.backfill_import_parts
        set event_count = event_count - $2, suppressed = suppressed + $2 + $3 + $4 + $5, quarantined = quarantined - $3,
            filtered = filtered - $4, expired = expired - $5, inserted = inserted - $6,
            duplicate_same_batch = duplicate_same_batch - $7, duplicate_other_batch = duplicate_other_batch - $8,
            duplicate_live = duplicate_live - $9,
            -- Nothing to import is as good as imported.
            state = case when event_count = $2 then 'imported' else state end
      where part_id = $1`,
    [
      ...[partId, accepted, quarantined, filtered, expired, taken.inserted],
      ...[taken.duplicate_same_batch, taken.duplicate_other_batch, taken.duplicate_live],
    ],
  );
  if (object === undefined) return;
  await client.query(
    `update analytics.backfill_import_parts set object_key = $2, object_sha256 = $3, object_bytes = $4 where part_id = $1`,
    [partId, object?.key ?? null, object?.sha256 ?? null, object?.bytes ?? 0],
  );
}

/** Rows of a batch that go with its erased events and lines, and the columns by which they are found. */
const ROWS = {
  events_log: `delete from analytics.events_log t using pg_temp.erased_event x
                where t.batch_id = $1 and t.event_id = x.event_id and t.deleted_at is null`,
  tombstones: `delete from analytics.events_log t using pg_temp.erased_event x
                where t.batch_id = $1 and t.event_id = x.event_id and t.deleted_at is not null
                  and t.event_ts >= $2 and t.event_ts < $3`,
  staging: `delete from analytics.events_backfill_staging t using pg_temp.erased_event x
             where t.batch_id = $1 and t.event_id = x.event_id`,
  lineage: `delete from analytics.backfill_lineage t using pg_temp.erased_event x
             where t.batch_id = $1 and t.event_id = x.event_id`,
  checkpoint_raw: `delete from analytics.backfill_event_checkpoint_raw t using pg_temp.erased_event x
                    where t.batch_id = $1 and t.event_id = x.event_id`,
  losers: `delete from analytics.backfill_losers t using pg_temp.erased_event x
            where t.loser_batch_id = $1 and t.event_id = x.event_id`,
  handovers: `delete from analytics.backfill_handovers t using pg_temp.erased_event x
               where (t.from_batch_id = $1 or t.to_batch_id = $1) and t.event_id = x.event_id`,
  quarantine: `delete from analytics.backfill_quarantine t using pg_temp.erased_line x
                where t.batch_id = $1 and t.source_file = x.source_file and t.line_no = x.line_no`,
  occurrences: `delete from analytics.backfill_occurrences t using pg_temp.erased_line x
                 where t.batch_id = $1 and t.file_no = x.file_no and t.line_no = x.line_no`,
} as const;

/** Takes what a batch's live rows are counted by out of what a publish says of them, before they go. @returns how many */
export async function unbookLiveRows(client: Client, batchId: string): Promise<number> {
  const { rows } = await client.query<{ rows: number }>(
    `with gone as (
       select count(*) as rows,
              coalesce(sum(hash_record_extended(
                row(e.event_id, e.source, e.event_name, e.schema_version, e.event_ts, e.session_id, e.subject_id,
                    hashtextextended(e.payload::text, 0)), 0)), 0) as hashes
         from analytics.events_log e join pg_temp.erased_event x using (event_id)
         join analytics.backfill_batches b on b.batch_id = e.batch_id
        where e.batch_id = $1 and e.deleted_at is null and e.event_ts >= b.window_start and e.event_ts < b.window_end
     ), publish as (
       update analytics.backfill_publishes p
          set published = p.published - g.rows, checksum = null,
              counted = case when p.counted = p.published then p.counted - g.rows else p.counted end,
              fingerprint = (split_part(p.fingerprint, ':', 1)::bigint - g.rows) || ':' ||
                            (split_part(p.fingerprint, ':', 2)::numeric - g.hashes)
         from gone g, analytics.backfill_batches b
        where b.batch_id = $1 and b.rows_live and p.batch_id = $1 and p.attempt = b.attempt and p.fingerprint is not null
          and (p.outcome is null or p.outcome = 'published') and g.rows > 0
     ), batch as (
       update analytics.backfill_batches b set row_count = b.row_count - g.rows, checksum = null
         from gone g where b.batch_id = $1 and b.rows_live and g.rows > 0
     ), metadata as (
       update analytics.backfill_batches_metadata m set checksum = null
         from gone g, analytics.backfill_batches b where m.batch_id = $1 and b.batch_id = $1 and b.rows_live and g.rows > 0
     )
     select rows from gone`,
    [batchId],
  );
  return rows[0]?.rows ?? 0;
}

/** Deletes the batch's rows of the erased events and lines. @returns how many, by what they were */
export async function eraseBatchRows(
  client: Client,
  batch: Pick<BatchRow, 'batch_id' | 'window_start' | 'window_end'>,
): Promise<Record<keyof typeof ROWS, number>> {
  const counts = {} as Record<keyof typeof ROWS, number>;
  for (const [store, text] of Object.entries(ROWS) as [keyof typeof ROWS, string][]) {
    const values = [batch.batch_id, ...(store === 'tombstones' ? [batch.window_start, batch.window_end] : [])];
    counts[store] = (await client.query(text, values)).rowCount ?? 0;
  }
  return counts;
}

/** A mirrored file as it was rewritten. */
export interface AmendedFile {
  file_no: number;
  size: number;
  sha256: string;
  chunks: { chunk_id: number; byte_start: number; byte_end: number }[];
}

/**
 * Says of mirrored files what they are now, and which of their lines were emptied.
 *
 * @param mirrored the files that there still are
 */
export async function amendFiles(
  client: Client,
  batchId: string,
  files: readonly AmendedFile[],
  mirrored: readonly number[],
): Promise<void> {
  for (const { file_no: fileNo, size, sha256, chunks } of files) {
    await client.query(
      `update analytics.backfill_files set mirror_size = $3, mirror_sha256 = $4 where batch_id = $1 and file_no = $2`,
      [batchId, fileNo, size, sha256],
    );
    await client.query(
      `update analytics.backfill_raw_chunks c set byte_start = n.byte_start, byte_end = n.byte_end
         from jsonb_to_recordset($1::jsonb) as n (chunk_id bigint, byte_start bigint, byte_end bigint)
        where c.chunk_id = n.chunk_id`,
      [JSON.stringify(chunks)],
    );
  }
  await client.query(
    `insert into analytics.backfill_erased_lines (batch_id, file_no, line_no)
     select $1, l.file_no, l.line_no from pg_temp.erased_line l
      where exists (select 1 from jsonb_array_elements($2::jsonb) f where f::integer = l.file_no)
     on conflict do nothing`,
    [batchId, JSON.stringify(files.map((file) => file.file_no))],
  );
  await client.query(
    `delete from analytics.backfill_erasure_lines e
      where e.batch_id = $1
        and (exists (select 1 from pg_temp.erased_line l where l.file_no = e.file_no and l.line_no = e.line_no)
             or e.file_no <> all ($2::integer[]))`,
    [batchId, mirrored],
  );
}

/** A stored result of a gate. */
export interface GateDetail {
  attempt: number;
  run_no: number;
  gate: string;
  detail: Record<string, never>;
}

export async function listGateDetails(db: Queryable, batchId: string): Promise<GateDetail[]> {
  const { rows } = await db.query<GateDetail>(
    'select attempt, run_no, gate, detail from analytics.backfill_gate_results where batch_id = $1',
    [batchId],
  );
  return rows;
}

/** Puts a detail of a gate in place of another. Signatures cover it: of a batch that is not published they are void then. */
export async function amendGateDetail(client: Client, batchId: string, gate: GateDetail): Promise<void> {
  await client.query(
    `update analytics.backfill_gate_results set detail = $5
      where batch_id = $1 and attempt = $2 and run_no = $3 and gate = $4`,
    [batchId, gate.attempt, gate.run_no, gate.gate, JSON.stringify(gate.detail)],
  );
}

/** Takes ids of erased events out of the examples in proofs of rollbacks. @returns in how many */
export async function amendRollbackProofs(client: Client, batchId: string): Promise<number> {
  const { rowCount } = await client.query(
    `update analytics.backfill_rollbacks r
        set snapshot = jsonb_set(r.snapshot, '{since_examples}',
              coalesce((select jsonb_agg(e) from jsonb_array_elements_text(r.snapshot -> 'since_examples') e
                         where e not in (select event_id from pg_temp.erased_event)), '[]'))
      where r.batch_id = $1
        and exists (select 1 from jsonb_array_elements_text(r.snapshot -> 'since_examples') e
                      join pg_temp.erased_event x on x.event_id = e)`,
    [batchId],
  );
  return rowCount ?? 0;
}

/** A snapshot in the archive that a publish has noted. */
export interface NotedSnapshot {
  publish_id: number;
  snapshot_path: string;
}

export async function listNotedSnapshots(db: Queryable, batchId: string): Promise<NotedSnapshot[]> {
  const { rows } = await db.query<NotedSnapshot>(
    `select publish_id, snapshot_path from analytics.backfill_publishes
      where batch_id = $1 and snapshot_path is not null order by publish_id`,
    [batchId],
  );
  return rows;
}

/** Says of a snapshot where it is now, and what it holds. What was loaded of the old one is dropped. */
export async function amendSnapshot(
  client: Client,
  batchId: string,
  snapshot: { publishId: number; was: string; path: string; sha256: string; bytes: number; rows: number },
): Promise<void> {
  const { publishId, was, path, sha256, bytes, rows } = snapshot;
  await client.query('select analytics.drop_snapshot_loads($1)', [batchId]);
  await client.query(
    `update analytics.backfill_publishes
        set snapshot_path = $2, snapshot_sha256 = $3, snapshot_bytes = $4, snapshot_rows = $5 where publish_id = $1`,
    [publishId, path, sha256, bytes, rows],
  );
  await client.query(
    `update analytics.backfill_batches_metadata set snapshot_path = $3, snapshot_checksum = $4
      where batch_id = $1 and snapshot_path = $2`,
    [batchId, was, path, sha256],
  );
}

/** Has a stopped batch measured anew when it goes on, where it had been measured. */
export async function remeasureWhenResumed(client: Client, batchId: string): Promise<void> {
  await client.query(
    `update analytics.backfill_batches set resume_status = 'verifying'
      where batch_id = $1 and not rows_live
        and resume_status in ('verifying', 'gates_failed', 'awaiting_publish_approval', 'publishing')`,
    [batchId],
  );
}

/** Writes down in the audit log that a batch's books were amended. */
export async function recordErased(client: Client, batchId: string, detail: object): Promise<void> {
  await client.query(`select analytics.record_audit($1, 'erased', $2::jsonb)`, [batchId, JSON.stringify(detail)]);
}
