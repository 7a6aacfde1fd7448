import { COPY_FORMAT, type FormatName, type StoredFormatName } from '../domain/format-name.ts';
import { type ManifestEntry, manifestChecksum, type Plan } from './plan.ts';

/** `manifest.json` of a mirror. What has no prefix is about the objects that stand beside it. */
export interface MirrorManifest {
  version: 1;
  batch_id: string;
  input: string;
  /** What the objects are: the input's own bytes, or pseudonymised copies of them. */
  form: 'byte_for_byte' | 'pseudonymised';
  /** sha256 over `<sha256>  <key>` lines in key order: `sha256sum` run in the mirror, hashed. */
  checksum: string;
  /** The same over the input's objects, where they are not those of the mirror. */
  raw_checksum?: string;
  objects: MirrorManifestObject[];
}

/** An object of the mirror, named as in the input. */
export interface MirrorManifestObject {
  key: string;
  /** Bytes. */
  size: number;
  /** Lower-case hex. */
  sha256: string;
  format: StoredFormatName;
  /** Records; of a copy, lines. */
  lines: number;
  /** Of the input's object, where the one in the mirror is a copy. */
  raw_size?: number;
  raw_sha256?: string;
  raw_format?: FormatName;
}

/** The manifest of a planned batch's mirror. Pure. */
export function mirrorManifest(plan: Plan): MirrorManifest {
  const { batchId, input, manifest } = plan;
  const objects = manifest.map(toObject);
  const isPseudonymised = manifest.some((entry) => entry.copy !== undefined);
  return {
    version: 1,
    batch_id: batchId,
    input,
    form: isPseudonymised ? 'pseudonymised' : 'byte_for_byte',
    checksum: manifestChecksum(objects.map(({ key, sha256 }) => ({ source_file: key, sha256 }))),
    ...(isPseudonymised && { raw_checksum: manifestChecksum(manifest) }),
    objects,
  };
}

function toObject({ source_file: key, size, sha256, format, lines, copy }: ManifestEntry): MirrorManifestObject {
  if (copy === undefined) return { key, size, sha256, format, lines };
  const raw = { raw_size: size, raw_sha256: sha256, raw_format: format };
  return { key, size: copy.size, sha256: copy.sha256, format: COPY_FORMAT, lines, ...raw };
}
