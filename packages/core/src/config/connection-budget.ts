import type { ServiceConfig } from './environment.ts';

/** Connections to PostgreSQL in the pool of one process: one transaction per job, one beside it, and the checks'. */
export function poolSize(config: Pick<ServiceConfig, 'service' | 'concurrency'>): number {
  return config.service === 'api' ? 10 : config.concurrency * 2 + 2;
}

/** All connections that one process may hold: its pool, and one for its turn as dispatcher. */
export function connectionBudget(config: Pick<ServiceConfig, 'service' | 'concurrency'>): number {
  return poolSize(config) + 1;
}
