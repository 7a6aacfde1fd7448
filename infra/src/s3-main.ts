// The embedded S3 server: a child process of the stack, with its settings in the environment.
import S3rver from 's3rver';
import Account from 's3rver/lib/models/account.js';
import type { S3Settings } from './s3.ts';

const settings = JSON.parse(process.env.BACKFILL_EMBEDDED_S3 ?? '') as S3Settings;
// s3rver knows one key pair, S3RVER/S3RVER; ours replaces it.
Account.DUMMY_ACCOUNT.createKeyPair(settings.accessKeyId, settings.secretAccessKey);
Account.DUMMY_ACCOUNT.revokeAccessKey('S3RVER');

const server = new S3rver({
  address: '127.0.0.1',
  port: settings.port,
  silent: true,
  directory: settings.directory,
  vhostBuckets: false,
  configureBuckets: settings.buckets.map((name) => ({ name })),
});
// Everything this process answered is on disk, so it may end at once.
process.once('SIGTERM', () => process.exit(0));
process.once('disconnect', () => process.exit(0));
await server.run();
