import type { ServiceConfig } from '../config/environment.ts';
import type { Pool } from '../db/pool.ts';
import type { KeyRing } from '../recipe/key-ring.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { ForgottenPeople } from './find-person.ts';

/** What an erasure in a batch works with. */
export interface ErasureWork {
  pool: Pool;
  store: ObjectStore;
  config: Pick<ServiceConfig, 'storage'>;
  keys: KeyRing;
  people: ForgottenPeople;
  signal: AbortSignal;
}

/** All bytes of an object that fits into memory. */
export async function readObject(
  { store, signal }: Pick<ErasureWork, 'store' | 'signal'>,
  bucket: string,
  key: string,
): Promise<Buffer> {
  return Buffer.concat(await (await store.get(bucket, key, { signal })).toArray());
}
