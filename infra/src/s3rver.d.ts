// s3rver ships no types; these are the parts in use.
declare module 's3rver' {
  import type { AddressInfo } from 'node:net';
  import type FilesystemStore from 's3rver/lib/stores/filesystem.js';

  interface S3rverOptions {
    address: string;
    port: number;
    silent: boolean;
    directory: string;
    vhostBuckets: boolean;
    configureBuckets: { name: string }[];
  }

  class S3rver {
    constructor(options: S3rverOptions);
    /** Koa's middleware, outermost first. */
    middleware: ((context: S3rver.Context, next: () => Promise<void>) => Promise<void>)[];
    store: FilesystemStore;
    context: { store: FilesystemStore };
    run(): Promise<AddressInfo>;
  }

  namespace S3rver {
    /** The parts of Koa's context in use. */
    interface Context {
      method: string;
      path: string;
      query: Record<string, string | string[] | undefined>;
      headers: Record<string, string | undefined>;
      status: number;
      body: unknown;
      response: { get(header: string): string; remove(header: string): void };
      set(header: string, value: string): void;
    }
  }
  export = S3rver;
}

declare module 's3rver/lib/models/account.js' {
  class Account {
    static DUMMY_ACCOUNT: Account;
    createKeyPair(accessKeyId: string, secretAccessKey: string): void;
    revokeAccessKey(accessKeyId: string): void;
  }
  export = Account;
}

declare module 's3rver/lib/models/error.js' {
  /** Answered as S3 does: the code decides the status. */
  class S3Error extends Error {
    constructor(code: string, message: string, detail?: Record<string, string>);
  }
  export = S3Error;
}

declare module 's3rver/lib/models/object.js' {
  import type { Readable } from 'node:stream';

  class S3Object {
    constructor(bucket: string, key: string, content: Readable | null, metadata: Record<string, string>);
    bucket: string;
    key: string;
    content: Readable | Buffer | null;
    metadata: Record<string, string | undefined>;
  }
  export = S3Object;
}

declare module 's3rver/lib/stores/filesystem.js' {
  import type { Readable } from 'node:stream';
  import type S3Object from 's3rver/lib/models/object.js';

  class FilesystemStore {
    constructor(rootDirectory: string);
    rootDirectory: string;
    getBucket(bucket: string): Promise<object | null>;
    getBucketPath(bucket: string): string;
    getResourcePath(bucket: string, key: string | undefined, resource: string): string;
    getMetadata(bucket: string, key: string): Promise<Record<string, string>>;
    putMetadata(bucket: string, key: string, metadata: S3Object['metadata'], md5: string): Promise<void>;
    existsObject(bucket: string, key: string): Promise<boolean>;
    getObject(bucket: string, key: string, options?: { start?: number; end?: number }): Promise<S3Object | null>;
    putObject(object: S3Object): Promise<{ size: number; md5: string }>;
    deleteObject(bucket: string, key: string): Promise<void>;
    putPart(
      bucket: string,
      uploadId: string,
      partNumber: string | number,
      content: Readable,
    ): Promise<{ size: number; md5: string }>;
    putObjectMultipart(
      bucket: string,
      uploadId: string,
      parts: { number: number; etag: string }[],
    ): Promise<{ size: number; md5: string }>;
    listObjects(
      bucket: string,
      options: { delimiter?: string; startAfter?: string; prefix?: string; maxKeys?: number },
    ): Promise<{ objects: S3Object[]; commonPrefixes: string[]; isTruncated: boolean }>;
  }
  export = FilesystemStore;
}
