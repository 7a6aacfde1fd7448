import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** What is said instead of the real server's answer. */
export interface FalseAnswer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

/** What is done to a request on its way to the real server and back. */
export interface Hindrance {
  /** It is taken, and nothing is ever said to it. */
  isSilent?: boolean;
  /** It waits for so long, ms. */
  delayMs?: number;
  /** The connection breaks after so many bytes of the body that goes one way or the other. */
  cutAfterBytes?: number;
  /** The answer's body is over after so many bytes, in good order and without its length, as if that were all. */
  endAfterBytes?: number;
  /** Told the bytes of the answer's body so far, before each block goes on; the block waits for what it returns. */
  onAnswered?(bytes: number): Promise<void> | undefined;
}

/** Answers a request instead of the real server, hinders it, or leaves it to it. */
export type Lie = (request: {
  method: string;
  bucket: string;
  key: string;
  query: URLSearchParams;
}) => FalseAnswer | Hindrance | undefined;

export interface LyingS3 {
  endpoint: string;
  /** What it lies about from now on. */
  lie: Lie;
  /** Method and path of every request so far. */
  requests: string[];
  close(): Promise<void>;
}

/** Passes bytes on, and breaks off with an error after so many. */
function limit(bytes: number): Transform {
  let left = bytes;
  return new Transform({
    transform(block: Buffer, _encoding, done) {
      left -= block.length;
      if (left < 0) done(new Error('cut short'));
      else done(null, block);
    },
  });
}

/** Passes so many bytes on and swallows the rest. */
function curtail(bytes: number): Transform {
  let left = bytes;
  return new Transform({
    transform(block: Buffer, _encoding, done) {
      const passed = block.subarray(0, left);
      left -= passed.length;
      done(null, passed);
    },
  });
}

/** Passes bytes on as they are let. */
function watch(onAnswered: NonNullable<Hindrance['onAnswered']>): Transform {
  let bytes = 0;
  return new Transform({
    transform(block: Buffer, _encoding, done) {
      bytes += block.length;
      Promise.resolve(onAnswered(bytes)).then(() => done(null, block), done);
    },
  });
}

function forward(
  target: URL,
  request: http.IncomingMessage,
  response: http.ServerResponse,
  { cutAfterBytes = Number.POSITIVE_INFINITY, endAfterBytes, onAnswered = () => undefined }: Hindrance,
): void {
  const { method, url, headers } = request;
  const onward = http.request(new URL(url ?? '/', target), { method: method ?? 'GET', headers });
  const breakOff = () => {
    onward.destroy();
    request.destroy();
    response.destroy();
  };
  onward.on('response', (answer) => {
    const { 'content-length': length, ...others } = answer.headers;
    const isWhole = endAfterBytes === undefined || Number(length ?? 0) <= endAfterBytes;
    response.writeHead(answer.statusCode ?? 502, isWhole ? answer.headers : others);
    const passed = isWhole ? limit(cutAfterBytes) : curtail(endAfterBytes);
    pipeline(answer, watch(onAnswered), passed, response).catch(breakOff);
  });
  onward.on('error', breakOff);
  pipeline(request, limit(cutAfterBytes), onward).catch(breakOff);
}

/** An S3 server on this machine that is honest, except where it lies: it stands before the real one. */
export async function startLyingS3(realEndpoint: string): Promise<LyingS3> {
  const target = new URL(realEndpoint);
  const lying: LyingS3 = { endpoint: '', lie: () => undefined, requests: [], close: async () => undefined };
  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? '/', target);
    const [bucket = '', ...rest] = decodeURIComponent(url.pathname).slice(1).split('/');
    const method = request.method ?? '';
    lying.requests.push(`${method} ${url.pathname}`);
    const lie = lying.lie({ method, bucket, key: rest.join('/'), query: url.searchParams });
    if (lie === undefined || !('status' in lie)) {
      const hindrance = lie ?? {};
      if (hindrance.isSilent === true) return void request.resume();
      setTimeout(() => forward(target, request, response, hindrance), hindrance.delayMs ?? 0);
      return;
    }
    request.resume();
    response.writeHead(lie.status, lie.headers);
    response.end(lie.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  lying.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  lying.close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return lying;
}

/** The answer to GetBucketReplication of a bucket that is copied to `target`. */
export function replicatedTo(target: string): { status: number; headers: Record<string, string>; body: string } {
  const rule = `<Rule><Status>Enabled</Status><Destination><Bucket>arn:aws:s3:::${target}</Bucket></Destination></Rule>`;
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0"?><ReplicationConfiguration><Role>r</Role>${rule}</ReplicationConfiguration>`,
  };
}
