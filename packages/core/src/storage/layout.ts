/** The mirror's own object, beside the copies. */
export const MANIFEST_NAME = 'manifest.json';

/** True for a name below the mirror that a manifest has, the one in force or one before it. Pure. */
export const isManifest = (name: string) => /^manifest(?:-\d+)?\.json$/.test(name);

/** Below it stand the heads of the audit log. */
export const AUDIT_HEADS = 'audit/heads/';
/** Below it stand the reports of all batches. */
export const REPORTS = 'reports/';

/** Places in the archive bucket, most of them a batch's. Keys below the mirror are the same as below the batch's input prefix. */
export const archiveLayout = {
  mirrorPrefix: (batchId: string) => `raw/${batchId}/`,
  mirrorObject: (batchId: string, sourceFile: string) => `raw/${batchId}/${sourceFile}`,
  manifest: (batchId: string) => `raw/${batchId}/${MANIFEST_NAME}`,
  /** A manifest that a later version names as its parent. */
  oldManifest: (batchId: string, version: number) => `raw/${batchId}/manifest-${version}.json`,
  /** What takes the place of an object of the mirror when an erasure is committed. Of one attempt alone. */
  erasing: (batchId: string, attempt: string, name: string) => `erasing/${batchId}/${attempt}/${name}`,
  /** Where such objects of a batch are. */
  erasingPrefix: (batchId: string) => `erasing/${batchId}/`,
  /** Named by content, so that a repeated write is the same write. */
  part: (batchId: string, sha256: string) => `transformed/${batchId}/${sha256}.copy`,
  /** Where a batch's parts are. */
  partsPrefix: (batchId: string) => `transformed/${batchId}/`,
  snapshotsPrefix: (batchId: string) => `snapshots/${batchId}/`,
  /** Every sample there ever was of the batch. */
  samplesPrefix: (batchId: string) => `${REPORTS}${batchId}/samples-`,
  /** What was live in a batch's window before it was published, see `snapshot-window.ts`. */
  snapshot: (batchId: string, name: string) => `snapshots/${batchId}/${name}`,
  /** The report of a run elsewhere, named by content. */
  rehearsal: (batchId: string, sha256: string) => `${REPORTS}${batchId}/rehearsals/${sha256}.json`,
  report: (batchId: string, name: string) => `${REPORTS}${batchId}/${name}`,
  /** Named by content too: a report refers to exactly this object. */
  samples: (batchId: string, sha256: string) => `${REPORTS}${batchId}/samples-${sha256}.json`,
  /** In the order of the chain. Named by content too, so that no head is ever written over another one. */
  auditHead: (chainNo: number, mac: string) => `${AUDIT_HEADS}${String(chainNo).padStart(12, '0')}-${mac}.json`,
} as const;

/** The contract's name of the CSV report. */
export const CSV_REPORT = 'analytics_backfill_verification.csv';

/**
 * Splits `s3://bucket/prefix/`.
 *
 * @returns undefined when the text is not such an address.
 */
export function parseS3Prefix(input: string): { bucket: string; prefix: string } | undefined {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.+\/)$/.exec(input);
  return match?.[1] === undefined || match[2] === undefined ? undefined : { bucket: match[1], prefix: match[2] };
}
