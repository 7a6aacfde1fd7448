/** A made-up identifier, and the only place where it was planted. */
export interface Planted {
  kind: string;
  place: string;
  text: string;
}

const digitsOf = (number: number, length: number) => String(number).padStart(length, '0');

/** Luhn (ISO/IEC 7812-1). */
function withLuhn(digits: string): string {
  const sum = [...digits].reverse().reduce((total, digit, place) => {
    const value = Number(digit) * (place % 2 === 0 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return digits + String((10 - (sum % 10)) % 10);
}

/** ISO 7064 MOD 97-10. */
function germanIban(account: string): string {
  const check = 98n - (BigInt(`${account}131400`) % 97n);
  return `DE${digitsOf(Number(check), 2)}${account}`;
}

/** ISO 7064 MOD 11,10, the check digit of a German tax id. */
function withTaxCheck(digits: string): string {
  const product = [...digits].reduce((carried, digit) => {
    const sum = (Number(digit) + carried) % 10;
    return ((sum === 0 ? 10 : sum) * 2) % 11;
  }, 10);
  return digits + String((11 - product) % 10);
}

/** The check digit of a German social security number (§ 2 VKVV). */
function socialSecurity(area: string, birth: string, letter: string, serial: string): string {
  const place = digitsOf(letter.charCodeAt(0) - 64, 2);
  const weights = [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1];
  const sum = [...`${area}${birth}${place}${serial}`].reduce((total, digit, index) => {
    const product = Number(digit) * (weights[index] ?? 0);
    return total + Math.floor(product / 10) + (product % 10);
  }, 0);
  return `${area}${birth}${letter}${serial}${sum % 10}`;
}

const base64url = (text: string) => Buffer.from(text).toString('base64url');
const groupsOfFour = (text: string) => text.match(/.{1,4}/g)?.join(' ') ?? text;

/** What free text is searched for: every kind makes the n-th identifier of its own, in changing forms. */
export const DETECTABLE: Record<string, (n: number) => string> = {
  email: (n) => `jane.quendel${n}@post${n}.example.org`,
  phone: (n) => (n % 2 === 0 ? `+49 151 77${digitsOf(n, 6)}` : `0160-88${digitsOf(n, 6)}`),
  ipv4: (n) => `198.18.${100 + Math.floor(n / 100)}.${100 + (n % 100)}`,
  ipv6: (n) => `2001:db8:${(4096 + n).toString(16)}:7::${(40_960 + n).toString(16)}`,
  iban: (n) => {
    const iban = germanIban(`37040044${digitsOf(5_320_130 + n, 10)}`);
    return n % 2 === 0 ? iban : groupsOfFour(iban);
  },
  card: (n) => {
    const card = withLuhn(`453957${digitsOf(n, 9)}`);
    return n % 2 === 0 ? card : groupsOfFour(card);
  },
  jwt: (n) => `${base64url('{"alg":"HS256"}')}.${base64url(`{"sub":"u${n}"}`)}.${base64url(`signature number ${n}`)}`,
  'api-token': (n) => `ghp_${digitsOf(n, 6)}AbCdEfGhIjKlMnOpQrStUvWxYz0123`,
  'tax-id': (n) => withTaxCheck(digitsOf(4_703_689_000 + n, 10)),
  'social-security': (n) =>
    socialSecurity(
      '15',
      `${digitsOf((n % 28) + 1, 2)}06${digitsOf(Math.floor(n / 28) % 100, 2)}`,
      String.fromCharCode(67 + Math.floor(n / 2_800)),
      digitsOf(n % 100, 2),
    ),
};

/** What no detector can know; safe only where nothing raw is kept. */
export const UNDETECTABLE: Record<string, (n: number) => string> = {
  name: (n) => `Zacharias Quendelbrot ${n}`,
  customer: (n) => `KDNR-${digitsOf(771_000 + n, 7)}`,
  device: (n) => `d${digitsOf(n, 7)}-aaaa-4bbb-8ccc-dddddddddddd`,
};

/** Hands out identifiers, each a new one, and remembers where it was planted. */
export class Planter {
  readonly planted: Planted[] = [];
  #next = 0;

  /** A new identifier for every kind, at this place. */
  every(place: string, kinds: Record<string, (n: number) => string>): Planted[] {
    return Object.entries(kinds).map(([kind, make]) => {
      this.#next += 1;
      const planted = { kind, place, text: make(this.#next) };
      this.planted.push(planted);
      return planted;
    });
  }
}
