import path from 'node:path';

/** The repository's root directory: services are spawned by their path in it. */
export const REPOSITORY_ROOT = path.resolve(import.meta.dirname, '..', '..');
