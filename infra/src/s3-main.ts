// The embedded S3 server: a child process of the stack, with its settings in the environment.
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import S3rver from 's3rver';
import Account from 's3rver/lib/models/account.js';
import type { S3Settings } from './s3.ts';
import { guardS3 } from './s3-guard.ts';
import { answerListings } from './s3-list-objects.ts';
import { AtomicStore } from './s3-store.ts';

const settings = JSON.parse(process.env.BACKFILL_EMBEDDED_S3 ?? '') as S3Settings;
const buckets = path.join(settings.directory, 'buckets');
const incoming = path.join(settings.directory, 'incoming');
// Uploads that a kill broke off.
rmSync(incoming, { recursive: true, force: true });
for (const folder of [buckets, incoming]) mkdirSync(folder, { recursive: true });

// s3rver knows one key pair, S3RVER/S3RVER; ours replaces it.
Account.DUMMY_ACCOUNT.createKeyPair(settings.accessKeyId, settings.secretAccessKey);
Account.DUMMY_ACCOUNT.revokeAccessKey('S3RVER');

const server = new S3rver({
  address: '127.0.0.1',
  port: settings.port,
  silent: true,
  directory: buckets,
  vhostBuckets: false,
  configureBuckets: settings.buckets.map((name) => ({ name })),
});
const store = new AtomicStore(buckets, incoming);
server.store = store;
server.context.store = store;
server.middleware.unshift(guardS3(settings.accessKeyId, store));
// The last one is s3rver's router; those before it turn the answer into XML.
server.middleware.splice(-1, 0, answerListings(store));

// Whatever this process answered is written, so it may end at once.
process.once('SIGTERM', () => process.exit(0));
process.once('disconnect', () => process.exit(0));
await server.run();
