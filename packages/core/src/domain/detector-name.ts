/** Kinds of personal data that free text is searched for; a source may name fewer. */
export const DETECTOR_NAMES = [
  'jwt',
  'email',
  'api-token',
  'random-word',
  'iban',
  'ipv6',
  'ipv4',
  'card',
  'german-social-security',
  'german-tax-id',
  'phone',
] as const;

export type DetectorName = (typeof DETECTOR_NAMES)[number];
