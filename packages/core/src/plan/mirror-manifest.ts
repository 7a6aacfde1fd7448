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
  /** Counts the manifests of a mirror; absent in the first. A later one tells of lines that were emptied since. */
  manifest_version?: number;
  /** The manifest before this one. */
  parent?: { key: string; sha256: string; checksum: string };
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
  /** Lines that were emptied because their person is to be forgotten. */
  erased_lines?: number;
}

/** What became of an object of the mirror when lines of it were emptied. */
export interface ErasedObject {
  size: number;
  sha256: string;
  /** How many in all. */
  erasedLines: number;
}

/**
 * The manifest of a mirror after lines of it were emptied: what the input was stays in it. Pure.
 *
 * @param parent the manifest in force, and where it is kept from now on
 * @param erased the objects that were written anew, by key
 */
export function nextManifest(
  { manifest, key, sha256 }: { manifest: MirrorManifest; key: string; sha256: string },
  erased: ReadonlyMap<string, ErasedObject>,
): MirrorManifest {
  const objects = manifest.objects.map((object) => {
    const now = erased.get(object.key);
    if (now === undefined) return object;
    const raw = { raw_size: object.size, raw_sha256: object.sha256 };
    return {
      ...(object.raw_sha256 === undefined && raw),
      ...object,
      ...{ size: now.size, sha256: now.sha256, erased_lines: now.erasedLines },
    };
  });
  return {
    ...manifest,
    checksum: checksumOf(objects),
    raw_checksum: manifest.raw_checksum ?? manifest.checksum,
    manifest_version: (manifest.manifest_version ?? 1) + 1,
    parent: { key, sha256, checksum: manifest.checksum },
    objects,
  };
}

const checksumOf = (objects: readonly MirrorManifestObject[]) =>
  manifestChecksum(objects.map(({ key, sha256 }) => ({ source_file: key, sha256 })));

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
    checksum: checksumOf(objects),
    ...(isPseudonymised && { raw_checksum: manifestChecksum(manifest) }),
    objects,
  };
}

function toObject({ source_file: key, size, sha256, format, lines, copy }: ManifestEntry): MirrorManifestObject {
  if (copy === undefined) return { key, size, sha256, format, lines };
  const raw = { raw_size: size, raw_sha256: sha256, raw_format: format };
  return { key, size: copy.size, sha256: copy.sha256, format: COPY_FORMAT, lines, ...raw };
}
