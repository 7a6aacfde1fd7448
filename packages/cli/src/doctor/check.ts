import type { ServiceConfig } from '@backfill/core/config/environment';
import type { Policy } from '@backfill/core/config/policy';
import type { KeyStore } from '@backfill/core/db/key-store';
import type { Pool } from '@backfill/core/db/pool';
import type { Finding } from '@backfill/core/domain/finding';
import type { QueueConnection } from '@backfill/core/queue/connection';
import type { ObjectStore } from '@backfill/core/storage/object-store';

/** What every check works with. Connections are made on first use, `redis` by whoever runs the checks. */
export interface DoctorTools {
  /** The environment of a transformer, whose settings of servers are those of all. */
  config: ServiceConfig;
  /** One of each service, for what they need together. */
  services: readonly ServiceConfig[];
  policy: Policy;
  pool: Pool;
  keyStore: KeyStore;
  store: ObjectStore;
  redis: QueueConnection;
}

/** A server that may be away; or the schema, which may be of another version than this build's. */
export type Need = 'database' | 'redis' | 'store' | 'schema';

/** One thing that the doctor looks at. */
export interface Check {
  name: string;
  /** What has to be there for it. */
  needs: readonly Need[];
  find(tools: DoctorTools): Promise<Finding[]>;
}
