import { createSecretKey } from 'node:crypto';
import { loadConfigDir } from '@backfill/core/config/load-config';
import { COPY_FORMAT } from '@backfill/core/domain/format-name';
import type { LineOutcome } from '@backfill/core/recipe/line-outcome';
import { buildRecipe, type Recipe } from '@backfill/core/recipe/recipe';
import { compilePinnedCleaner, compilePinnedRecipe } from '@backfill/core/transform/compile-pinned-recipe';
import { copyFile } from '@backfill/core/transform/copy-file';
import { pinCopies } from '@backfill/core/transform/pin-copies';
import { formatHints, type PinnedInput, pinInput } from '@backfill/core/transform/pin-input';
import { type ChunkObject, readChunk } from '@backfill/core/transform/read-chunk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCESS_WINDOW } from '../support/access-log.ts';
import { APP_WINDOW, appLogs } from '../support/app-logs.ts';
import { createConfigDir } from '../support/config-dir.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { FORMAT_SAMPLES } from '../support/format-samples.ts';
import { writeFormatSource } from '../support/format-source.ts';
import { createTestStore, type TestStore } from '../support/store.ts';

const keys = new Map([[1, createSecretKey(Buffer.from('only for tests, thirty-two bytes'))]]);
const runtime = { keys, isSuppressed: () => false };
const signal = new AbortController().signal;
const UNLOAD = `format-${Object.keys(FORMAT_SAMPLES).indexOf('an UNLOAD without header row, named by the source')}`;
const WHOLE = 64 * 1024 * 1024;

const INPUTS = [
  ...Object.entries(FORMAT_SAMPLES).map(([name, { files }], index) => ({
    ...{ name, source: `format-${index}`, window: ACCESS_WINDOW, files },
  })),
  { name: 'an app with bad lines', source: 'app', window: APP_WINDOW, files: appLogs(60) },
];

let environment: TestEnvironment;
let config: Awaited<ReturnType<typeof createConfigDir>>;
let s3: TestStore;
beforeAll(async () => {
  environment = await createTestEnvironment();
  s3 = createTestStore(environment.env);
  config = await createConfigDir();
  for (const [index, { source }] of Object.values(FORMAT_SAMPLES).entries()) {
    await writeFormatSource(config.dir, `format-${index}`, source, { region: 'non-eu' });
  }
});
afterAll(async () => {
  s3.store.close();
  await config.remove();
  await environment.dispose();
});

async function recipeOf(source: string, window: { start: string; end: string }): Promise<Recipe> {
  return buildRecipe(await loadConfigDir(config.dir), source, {
    ...{ windowStartMs: Date.parse(window.start), windowEndMs: Date.parse(window.end), retentionCutoffMs: null },
    keys: { checks: {}, periods: [{ version: 1, fromMs: null }], latestEventMs: null },
  });
}

/** What comes of every line, by file and line, when the chunks are read one by one. */
async function transform(recipe: Recipe, { files, chunks }: PinnedInput, objectOf: (name: string) => ChunkObject) {
  const outcomes: Record<string, LineOutcome> = {};
  for (const { fileNo, byteStart, byteEnd, firstLine, lineCount } of chunks) {
    const file = files[fileNo];
    if (file === undefined) throw new Error(`no file ${fileNo}`);
    const { sourceFile, copy, compression, format, header } = file;
    const stored = copy === null ? { compression, format, header } : { compression: 'none' as const, ...COPY };
    const chunk = { ...stored, byte_start: byteStart, byte_end: byteEnd, first_line: firstLine };
    const finish = compilePinnedRecipe(recipe, runtime, { ...stored, source_file: sourceFile });
    const { maxLineBytes } = recipe.limits;
    let read = 0;
    for await (const lines of readChunk(s3.store, objectOf(sourceFile), chunk, { maxLineBytes, signal })) {
      for (const line of lines) outcomes[`${sourceFile}:${line.lineNo}`] = finish(line);
      read += lines.length;
    }
    expect(read).toBe(lineCount);
  }
  return outcomes;
}

describe('a file that is not as it was pinned', () => {
  const [app] = INPUTS.slice(-1);
  const place = () => ({ bucket: s3.rawBucket, prefix: 'changed/', signal });
  let recipe: Recipe;
  let raw: PinnedInput;
  beforeAll(async () => {
    recipe = await recipeOf('app', APP_WINDOW);
    for (const [name, body] of Object.entries(app?.files ?? {})) {
      await s3.store.put(s3.rawBucket, `changed/${name}`, Buffer.from(body), 'text/plain');
    }
    const hints = formatHints(recipe);
    raw = await pinInput(s3.store, { ...place(), ...hints, chunkBytes: WHOLE, oldestAllowed: null });
  });

  it.each([{ sha256: '0'.repeat(64) }, { lineCount: 1 }])('is not planned: %o', async (change) => {
    const files = raw.files.map((file) => ({ ...file, ...change }));
    const pinned = pinCopies(s3.store, { ...raw, files }, { ...place(), recipe, keys, chunkBytes: WHOLE });
    await expect(pinned).rejects.toThrow(/changed\/a\.ndjson was changed while it was planned/);
  });

  it('ends in the middle when it is told to', async () => {
    const stop = new AbortController();
    const large = Buffer.concat(Array.from({ length: 200 }, () => app?.files['a.ndjson'] as Buffer));
    const object = { bucket: s3.rawBucket, key: 'large.ndjson' };
    await s3.store.put(object.bucket, object.key, large, 'text/plain');
    const file = { format: 'ndjson', header: null, compression: 'none' } as const;
    const clean = compilePinnedCleaner(recipe, { keys }, file);
    const options = { maxLineBytes: recipe.limits.maxLineBytes, signal: stop.signal };
    const copy = await copyFile(s3.store, object, file, clean, options);
    let bytes = 0;
    const read = async () => {
      for await (const block of copy.stream) {
        bytes += block.length;
        stop.abort();
      }
    };
    await expect(read()).rejects.toThrow(/abort/);
    expect(bytes).toBeLessThan(large.length / 10);
  });
});

const COPY = { format: COPY_FORMAT, header: null } as const;

describe.each(INPUTS)('a pseudonymised copy of $name', ({ source, window, files }) => {
  it('gives the outcomes of the raw lines, in chunks of any size', async () => {
    const pinned = await recipeOf(source, window);
    // The lines of a copy are longer than this limit, and those of an UNLOAD are not.
    const recipe = source === UNLOAD ? { ...pinned, limits: { maxLineBytes: 40 } } : pinned;
    const bucket = s3.rawBucket;
    const prefix = `${source}/`;
    for (const [name, body] of Object.entries(files)) {
      await s3.store.put(bucket, prefix + name, Buffer.from(body), 'text/plain');
    }
    const place = { bucket, prefix, signal };
    const raw = await pinInput(s3.store, { ...place, ...formatHints(recipe), chunkBytes: WHOLE, oldestAllowed: null });
    const expected = await transform(recipe, raw, (name) => ({ bucket, key: prefix + name }));
    expect(new Set(Object.values(expected).map(({ outcome }) => outcome))).toContain('accepted');

    const sizes: string[] = [];
    for (const chunkBytes of [WHOLE, 1]) {
      const copied = await pinCopies(s3.store, raw, { ...place, recipe, keys, chunkBytes });
      for (const file of copied.files) {
        const object = { bucket, key: prefix + file.sourceFile, ifMatch: file.etag };
        const clean = compilePinnedCleaner(recipe, { keys }, file);
        const { maxLineBytes } = recipe.limits;
        const copy = await copyFile(s3.store, object, file, clean, { maxLineBytes, signal });
        await s3.store.putStream(s3.archiveBucket, object.key, copy.stream);
        expect(copy.measure()).toEqual({ rawSha256: file.sha256, ...file.copy });
        sizes.push(`${file.sourceFile} ${file.copy?.size} ${file.copy?.sha256}`);
      }
      const got = await transform(recipe, copied, (name) => ({ bucket: s3.archiveBucket, key: prefix + name }));
      expect(got).toEqual(expected);
      if (chunkBytes === 1) expect(copied.chunks.length).toBe(Object.keys(expected).length);
    }
    // Chunks are a matter of the plan; the copy is the same.
    expect(new Set(sizes).size).toBe(Object.keys(files).length);
  }, 60_000);
});
