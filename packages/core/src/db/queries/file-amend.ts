import type { Client } from '../pool.ts';

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
