const LF = 0x0a;

/**
 * The yardstick: what every reader of NDJSON must do at least. Splits lines and parses them, and nothing else.
 *
 * @returns the number of lines
 */
export function parseLines(bytes: Buffer): number {
  let lines = 0;
  let start = 0;
  for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, start)) {
    JSON.parse(bytes.toString('utf8', start, end));
    lines += 1;
    start = end + 1;
  }
  return lines;
}
