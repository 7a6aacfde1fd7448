import { Gauge, type Registry } from 'prom-client';

/**
 * Adds the gauge of when retention last ran to its end, asked anew with each scrape. While the answer is not to be had it
 * stays as it was, and it is not there before the first run: a rule that looks for its absence or age fires.
 *
 * @param read the end of the last run whose work was complete
 */
export function watchLastRetention(registry: Registry, read: () => Promise<Date | null>): void {
  let last: number | undefined;
  new Gauge({
    name: 'backfill_retention_last_run_timestamp_seconds',
    help: 'When retention last ran with nothing left to delete, seconds since 1970.',
    registers: [registry],
    async collect() {
      const at = await read().catch(() => null);
      if (at !== null) last = at.getTime() / 1_000;
      this.reset();
      if (last === undefined) this.remove();
      else this.set(last);
    },
  });
}
