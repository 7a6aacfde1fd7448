import { isIPv4, isIPv6 } from 'node:net';

/**
 * An address cut to its network: IPv4 to /24 (`192.0.2.0`), IPv6 to /48 (`2001:db8:1::`). An
 * IPv4 address written inside IPv6 (`::ffff:192.0.2.7`, 6to4's `2002:c000:207::`) is cut like
 * IPv4. Undefined if the text is no address.
 */
export function maskIp(text: string): string | undefined {
  if (isIPv4(text)) return maskIpv4(text);
  const zoneAt = text.indexOf('%');
  const address = zoneAt < 0 ? text : text.slice(0, zoneAt);
  if (!isIPv6(address)) return undefined;
  const groups = ipv6Groups(address);
  const isMappedIpv4 = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (isMappedIpv4) {
    const [high = 0, low = 0] = groups.slice(6);
    return `${high >> 8}.${high & 0xff}.${low >> 8}.0`;
  }
  const kept = groups.slice(0, 3);
  // The first 48 bits of 6to4 are the whole IPv4 address.
  if (kept[0] === 0x2002) kept[2] = (kept[2] ?? 0) & 0xff00;
  while (kept.at(-1) === 0) kept.pop();
  return `${kept.map((group) => group.toString(16)).join(':')}::`;
}

function maskIpv4(address: string): string {
  return `${address.slice(0, address.lastIndexOf('.'))}.0`;
}

/** The eight groups of a valid IPv6 address without a zone. */
function ipv6Groups(address: string): number[] {
  const [before = '', after] = address.split('::');
  const head = groupsOf(before);
  if (after === undefined) return head;
  const tail = groupsOf(after);
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

function groupsOf(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}
