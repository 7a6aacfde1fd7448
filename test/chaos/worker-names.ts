/** The services, in the order in which the suite starts them. */
export const WORKER_NAMES = ['api', 'transformer', 'importer', 'verifier', 'rollback'] as const;
export type WorkerName = (typeof WORKER_NAMES)[number];
