import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

/** Name of a dependency → undefined when well, else what is wrong with it. */
export type ReadinessCheck = () => Promise<Record<string, string | undefined>>;

/** Whoever asks while one look is under way gets what it finds: anybody may ask, and each look asks every server. */
export function shareLook(check: ReadinessCheck): ReadinessCheck {
  let underWay: ReturnType<ReadinessCheck> | undefined;
  return () => {
    underWay ??= check().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}

/** What `/readyz` answers: 200 and `ready`, or 503 and the dependencies that are not well. */
export async function answerReadiness(check: ReadinessCheck): Promise<{ status: 200 | 503; body: object }> {
  const findings = await check();
  const down = Object.fromEntries(Object.entries(findings).filter(([, problem]) => problem !== undefined));
  return Object.keys(down).length === 0
    ? { status: 200, body: { status: 'ready' } }
    : { status: 503, body: { status: 'not ready', down } };
}

interface Health {
  registry: Registry;
  /** True while the process does what it is there for. */
  isLive(): boolean;
  check: ReadinessCheck;
}

async function answer(path: string, { registry, isLive, check }: Health): Promise<[number, string, string]> {
  switch (path) {
    case '/healthz':
      return isLive()
        ? [200, 'application/json', '{"status":"ok"}']
        : [503, 'application/json', '{"status":"not consuming"}'];
    case '/readyz': {
      const { status, body } = await answerReadiness(check);
      return [status, 'application/json', JSON.stringify(body)];
    }
    case '/metrics':
      return [200, registry.contentType, await registry.metrics()];
    default:
      return [404, 'application/json', '{"status":"not found"}'];
  }
}

/** Serves `/healthz` (503 while the worker does not consume), `/readyz` and `/metrics` of a worker. */
export async function startHealthServer(
  options: Health & { host: string; port: number },
): Promise<{ url: string; close(): Promise<void> }> {
  const health = { ...options, check: shareLook(options.check) };
  const server: Server = createServer((request, response) => {
    // An address that is none, such as `//`, is nobody's page; an error here would end the service.
    const path = URL.parse(request.url ?? '/', 'http://localhost')?.pathname ?? '';
    answer(path, health).then(
      ([status, type, body]) => response.writeHead(status, { 'content-type': type }).end(body),
      () => response.writeHead(500, { 'content-type': 'application/json' }).end('{"status":"error"}'),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${options.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
