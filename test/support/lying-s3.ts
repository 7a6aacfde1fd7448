import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers a request instead of the real server, or leaves it to it. */
export type Lie = (request: {
  method: string;
  bucket: string;
  key: string;
  query: URLSearchParams;
}) => { status: number; headers?: Record<string, string>; body?: string } | undefined;

export interface LyingS3 {
  endpoint: string;
  /** What it lies about from now on. */
  lie: Lie;
  /** Method and path of every request so far. */
  requests: string[];
  close(): Promise<void>;
}

function forward(target: URL, request: http.IncomingMessage, response: http.ServerResponse): void {
  const { method, url, headers } = request;
  const onward = http.request(new URL(url ?? '/', target), { method: method ?? 'GET', headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  request.pipe(onward);
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
    if (lie === undefined) {
      forward(target, request, response);
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
