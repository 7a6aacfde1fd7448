/** Every raw format that a source can name. */
export const FORMAT_NAMES = ['ndjson', 'combined'] as const;

export type FormatName = (typeof FORMAT_NAMES)[number];
