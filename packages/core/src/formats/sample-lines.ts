/** Lines that a detection looks at. */
const MAX_SAMPLES = 100;

/** The first whole lines of a text that are not blank; of a text without a line end, all of it. */
export function sampleLines(head: string): string[] {
  const text = head.charCodeAt(0) === 0xfeff ? head.slice(1) : head;
  const lines = text.split('\n', MAX_SAMPLES + 1);
  if (lines.length > 1) lines.pop();
  return lines.map((line) => line.trim()).filter((line) => line !== '');
}

/** True when at least half of the samples are good: a file of a format may have bad lines, also at its start. */
export function isMostly<T>(samples: readonly T[], isGood: (sample: T) => boolean): boolean {
  return samples.length > 0 && samples.filter(isGood).length * 2 >= samples.length;
}
