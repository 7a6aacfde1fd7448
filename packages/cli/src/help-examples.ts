/** The end of a command's help: calls to copy. */
export function helpExamples(...calls: readonly string[]): string {
  return ['', 'Examples:', ...calls.map((call) => `  ./backfill ${call}`)].join('\n');
}
