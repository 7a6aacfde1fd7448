import type { ObjectStore } from '@backfill/core/storage/object-store';
import { expect, it } from 'vitest';
import { uploadFiles } from './upload-folder.ts';

it('uploads nothing when a name shows who the file is about, and does not repeat the name', async () => {
  const files = ['a.log', 'users/alice@example.com/b.log'].map((key) => ({ file: `/nowhere/${key}`, key, size: 1 }));
  const store = {} as ObjectStore;
  const target = { store, bucket: 'analytics-raw', prefix: 'b1/', endpoint: 'http://127.0.0.1:1' };
  const refused = uploadFiles(files, target, new AbortController().signal);
  await expect(refused).rejects.toThrow(/^The names of 1 of the 2 files look like .*: 2 \(email\)\.$/);
});
