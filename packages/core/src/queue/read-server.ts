import type { QueueConnection } from './connection.ts';

/** What a Redis says about itself (INFO), by its own names: `maxmemory_policy`, `aof_enabled`, `role`. */
export async function readServerInfo(connection: QueueConnection): Promise<Readonly<Record<string, string>>> {
  const text = await connection.info();
  const lines = text.split('\r\n').filter((line) => line.includes(':'));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

/** What time it is there. */
export async function readServerClock(connection: QueueConnection): Promise<Date> {
  const [seconds, microseconds] = await connection.time();
  return new Date(Number(seconds) * 1_000 + Number(microseconds) / 1_000);
}
