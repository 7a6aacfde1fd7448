import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { waitFor } from '../support/wait-for.ts';

const INFRA = path.join(import.meta.dirname, '../../infra/prometheus');
export const RULES = path.join(INFRA, 'alerts.yml');
export const CONFIG = path.join(INFRA, 'prometheus.yml');

/** A service, and where it serves its metrics. */
export interface Target {
  service: string;
  url: string;
}

/** A result of an instant query. */
export interface Sample {
  metric: Record<string, string>;
  value: number;
}

/** A Prometheus server that scrapes every second, and judges the project's rules as often. */
export interface Prometheus {
  /** Runs an instant query. @throws {Error} with what Prometheus has against it. */
  query(expression: string): Promise<Sample[]>;
  stop(): Promise<void>;
}

/** A port that nobody listened on a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The project's configuration, but for where the services are and how often they are asked. */
async function configFor(targets: readonly Target[]): Promise<object> {
  const { scrape_configs } = parse(await readFile(CONFIG, 'utf8')) as { scrape_configs: { job_name: string }[] };
  const backfill = scrape_configs.find(({ job_name }) => job_name === 'backfill');
  const job = {
    ...backfill,
    dns_sd_configs: undefined,
    static_configs: targets.map(({ service, url }) => ({
      targets: [new URL(url).host],
      labels: { __meta_dns_name: service },
    })),
  };
  return {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [RULES],
    scrape_configs: [job],
  };
}

export async function startPrometheus(targets: readonly Target[]): Promise<Prometheus> {
  const dir = await mkdtemp(path.join(tmpdir(), 'backfill-prometheus-'));
  // JSON is YAML.
  await writeFile(path.join(dir, 'prometheus.yml'), JSON.stringify(await configFor(targets)));
  const port = await freePort();
  const child = spawn(
    'prometheus',
    [
      ...[`--config.file=${dir}/prometheus.yml`, `--storage.tsdb.path=${dir}/data`],
      ...[`--web.listen-address=127.0.0.1:${port}`, '--log.level=error'],
    ],
    { stdio: 'inherit' },
  );
  const url = `http://127.0.0.1:${port}`;
  try {
    await waitFor('Prometheus to be ready', async () => {
      if (child.exitCode !== null) throw new Error(`prometheus ended with ${child.exitCode}`);
      return (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok || undefined;
    });
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    async query(expression) {
      const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`);
      const { data, error } = (await answer.json()) as {
        data?: { result: { metric: Record<string, string>; value: [number, string] }[] };
        error?: string;
      };
      if (data === undefined) throw new Error(error);
      return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    async stop() {
      if (child.exitCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      await rm(dir, { recursive: true, force: true });
    },
  };
}
