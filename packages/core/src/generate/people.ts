import type { Random } from './random.ts';

/** Somebody in the made-up world, with everything that must not get past the transformer. */
export interface Person {
  id: string;
  email: string;
  ip: string;
  userAgent: string;
}

/** The user whose objection a demo can put among the suppressions. */
export const OBJECTOR_ID = 'u_objector';

const FIRST_NAMES = ['anna', 'ben', 'carla', 'deniz', 'eva', 'femi', 'greta', 'hugo', 'ines', 'jan'];
const LAST_NAMES = ['abel', 'becker', 'costa', 'dubois', 'eriksen', 'ferrari', 'garcia', 'horvat'];
/** Reserved for examples (RFC 2606), so that no made-up address is anybody's. */
const MAIL_DOMAINS = ['example.com', 'example.org', 'mail.example.net'];
/** Networks for documentation (RFC 5737). */
const NETWORKS = ['192.0.2', '198.51.100', '203.0.113'];
const USER_AGENTS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15',
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
];

/** A person with this user id; the rest is drawn. */
export function createPerson(random: Random, id: string): Person {
  const name = `${random.pick(FIRST_NAMES)}.${random.pick(LAST_NAMES)}${random.int(1000)}`;
  return {
    id,
    email: `${name}@${random.pick(MAIL_DOMAINS)}`,
    ip: randomIp(random),
    userAgent: random.pick(USER_AGENTS),
  };
}

/** Every tenth is IPv6 (RFC 3849); no host is 0, so that no address equals its masked network. */
function randomIp(random: Random): string {
  if (random.chance(0.1)) {
    const [site, host] = [random.int(0xffff) + 1, random.int(0xffff) + 1];
    return `2001:db8:${site.toString(16)}::a:${host.toString(16)}`;
  }
  return `${random.pick(NETWORKS)}.${1 + random.int(254)}`;
}
