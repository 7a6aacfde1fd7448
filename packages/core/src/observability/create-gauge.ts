import { Gauge, type Registry } from 'prom-client';

/** Makes gauges of one registry. */
export function gaugesOf(registry: Registry) {
  return <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Gauge<L> =>
    new Gauge({ name, help, labelNames, registers: [registry] });
}
