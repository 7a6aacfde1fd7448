import { Readable } from 'node:stream';
import { PutObjectCommand } from '@aws-sdk/client-s3';

/** An object's content in several blocks. */
export interface BlockContent {
  blocks: readonly Buffer[];
  /** Bytes of all blocks. */
  size: number;
  /** Of all blocks, lower-case hex. */
  sha256: string;
  contentType: string;
}

/** What the middleware sees of a request. */
interface Sent {
  headers: Record<string, string>;
  body?: unknown;
}

/**
 * A PutObject request that streams the blocks and is repeated like any other: the SDK does not repeat a request with a
 * stream for a body, so it gets none, and each attempt makes its own. The checksum is signed with the request, and the
 * server checks it.
 */
export function putBlocksCommand(bucket: string, key: string, content: BlockContent): PutObjectCommand {
  const { blocks, size, sha256, contentType } = content;
  const command = new PutObjectCommand({ Bucket: bucket, Key: key, ContentType: contentType, ContentLength: size });
  command.middlewareStack.add(
    (next) => (args) => {
      (args.request as Sent).headers['x-amz-content-sha256'] = sha256;
      return next(args);
    },
    { step: 'build', name: 'signBlocks' },
  );
  command.middlewareStack.add(
    (next) => (args) => {
      const body = Readable.from(blocks, { objectMode: false });
      return next({ ...args, request: { ...(args.request as Sent), body } });
    },
    // Behind the one that repeats: once per attempt. The request that it knows stays without a body.
    { step: 'deserialize', priority: 'high', name: 'sendBlocks' },
  );
  return command;
}
