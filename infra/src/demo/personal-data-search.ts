import type { Client } from '@backfill/core/db/pool';

/**
 * What can be an e-mail address (`%40` stands for the @ in addresses of pages) or an IP address.
 * Generous: only what was planted counts in the end.
 */
const ADDRESSES = '[A-Za-z0-9._+-]+(?:@|%40)[A-Za-z0-9.-]+|[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]+';

interface Relation {
  name: string;
  has_batch_id: boolean;
}

/** A place where a planted address was found, without the address. */
export interface FoundAddress {
  relation: string;
  rows: number;
}

/**
 * Looks for planted addresses in every column of every table of the schema `analytics`, in the
 * rows of these batches (all rows, where a table has no batches). Runs inside one session: the
 * addresses lie in a temporary table.
 */
export async function findPersonalData(
  client: Client,
  batchIds: readonly string[],
  identifiers: ReadonlySet<string>,
): Promise<FoundAddress[]> {
  await client.query('create temporary table planted_address (address text primary key)');
  try {
    await client.query('insert into planted_address select distinct lower(unnest($1::text[]))', [[...identifiers]]);
    await client.query('analyze planted_address');
    const found: FoundAddress[] = [];
    for (const relation of await listRelations(client)) {
      const rows = await countRowsWithAddress(client, relation, batchIds);
      if (rows > 0) found.push({ relation: relation.name, rows });
    }
    return found;
  } finally {
    await client.query('drop table planted_address');
  }
}

/** Tables, each once: partitions are searched through their parents. */
async function listRelations(client: Client): Promise<Relation[]> {
  const { rows } = await client.query<Relation>(
    `select format('analytics.%I', c.relname) as name,
            exists (select 1 from pg_attribute a
                     where a.attrelid = c.oid and a.attname = 'batch_id' and not a.attisdropped) as has_batch_id
       from pg_class c
      where c.relnamespace = 'analytics'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
      order by c.relname`,
  );
  return rows;
}

async function countRowsWithAddress(
  client: Client,
  { name, has_batch_id }: Relation,
  batchIds: readonly string[],
): Promise<number> {
  const ofBatches = has_batch_id ? 'where t.batch_id = any ($2)' : 'where $2::text[] is not null';
  const { rows } = await client.query<{ count: number }>(
    `select count(*) as count from ${name} t
      ${ofBatches}
        and exists (
          select 1 from regexp_matches(t::text, $1, 'g') as found (address)
            join planted_address p on p.address = lower(rtrim(replace(found.address[1], '%40', '@'), '.:')))`,
    [ADDRESSES, batchIds],
  );
  return rows[0]?.count ?? 0;
}
