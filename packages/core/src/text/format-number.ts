// Made once: it costs more than a hundred numbers that it formats.
const COUNT = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** A whole number with thousands separators, the same on every machine: `48,210`. */
export function formatCount(value: number): string {
  return COUNT.format(value);
}

/** A ratio or count as a gate compares it: at most six significant digits, no trailing zeros. */
export function formatMeasure(value: number | null): string {
  if (value === null) return '–';
  if (Number.isInteger(value)) return formatCount(value);
  return String(Number(value.toPrecision(6)));
}

/** `1 file`, `2 files`. */
export function formatQuantity(value: number, noun: string): string {
  return `${formatCount(value)} ${noun}${value === 1 ? '' : 's'}`;
}
