import type { Finding } from '../domain/finding.ts';

/** Where a bucket is: a region's name, or why nobody can say. */
export type Place = { region: string } | { unknown: string };

/** A bucket that a replication rule copies into. */
export interface ReplicationTarget {
  bucket: string;
  place: Place;
}

/** What the object store says about a bucket. */
export interface BucketFacts {
  bucket: string;
  place: Place;
  /** The enabled rules' targets, empty when there is no replication; or why nobody can say. */
  replication: ReplicationTarget[] | { unknown: string };
}

/** The addresses that a process works with, as its environment gives them. */
export interface Addresses {
  databaseUrl: string;
  checkpointDatabaseUrl: string | undefined;
  redisUrl: string;
  s3Endpoint: string;
  s3Region: string;
}

/** One thing that is outside the residency policy, or unknown. */
export type ResidencyFinding = Finding;
