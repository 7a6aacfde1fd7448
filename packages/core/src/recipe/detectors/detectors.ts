import { apiToken } from './api-token.ts';
import { card } from './card.ts';
import type { Detector } from './detector.ts';
import { email } from './email.ts';
import { germanSocialSecurity } from './german-social-security.ts';
import { germanTaxId } from './german-tax-id.ts';
import { iban } from './iban.ts';
import { ipv4 } from './ipv4.ts';
import { ipv6 } from './ipv6.ts';
import { jwt } from './jwt.ts';
import { phone } from './phone.ts';
import { randomWord } from './random-word.ts';

/**
 * Every detector, in the order in which they look: what can stand inside another find comes after
 * it (an address in an e-mail's domain, digits in an account number), and what takes most comes
 * last. A new one is one file and a line here.
 */
export const DETECTORS: readonly Detector[] = [
  jwt,
  email,
  apiToken,
  randomWord,
  iban,
  ipv6,
  ipv4,
  card,
  germanSocialSecurity,
  germanTaxId,
  phone,
];
