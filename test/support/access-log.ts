/** The window that the lines of {@link accessLine} fall into. */
export const ACCESS_WINDOW = { start: '2026-11-01T00:00:00Z', end: '2026-11-02T00:00:00Z' };

const two = (value: number) => String(value).padStart(2, '0');

/** A line of an access log, one second after the other; the same number gives the same line. */
export function accessLine(number: number): string {
  const time = `${two(Math.floor(number / 3600) % 24)}:${two(Math.floor(number / 60) % 60)}:${two(number % 60)}`;
  const address = `192.0.2.${number % 250}`;
  return `${address} - - [01/Nov/2026:${time} +0000] "GET /page/${number} HTTP/1.1" 200 ${number} "-" "curl/8.0"`;
}

/** Lines [from, to) as a file. */
export function accessLog(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, index) => `${accessLine(from + index)}\n`).join('');
}
