import { isIPv4 } from 'node:net';

/** The part of the residency policy that judges hosts. */
export interface HostRules {
  /** Names and addresses; `*.example.eu` stands for every name below example.eu. */
  readonly hosts: readonly string[];
  /** True where everything may stay on this machine. */
  readonly loopback: boolean;
}

/** Host names are compared in lower case, without the root's dot, IPv6 addresses without brackets. */
function normalised(host: string): string {
  return host
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/^\[(.*)\]$/, '$1');
}

/** True for this machine itself: 127.0.0.0/8, ::1, localhost, and the path of a Unix socket. */
export function isLoopback(host: string): boolean {
  const name = normalised(host);
  if (name === 'localhost' || name === '::1' || name.startsWith('/')) return true;
  return isIPv4(name) && name.startsWith('127.');
}

/** True when the policy lets data go to this host. Names are not resolved: what the policy names is what counts. */
export function isHostAllowed(host: string, rules: HostRules): boolean {
  if (isLoopback(host)) return rules.loopback;
  const name = normalised(host);
  return rules.hosts.map(normalised).some((rule) => {
    return rule.startsWith('*.') ? name.endsWith(rule.slice(1)) && name.length > rule.length - 1 : name === rule;
  });
}

/** Parameters by which PostgreSQL's and Redis' clients may be sent to another host than the address names. */
const HOST_PARAMETERS = ['host', 'hostaddr', 'path'];

/** Every host that a client may take from this address; empty when it names none. */
export function hostsOf(address: string): string[] {
  const url = new URL(address);
  const named = [decodeURIComponent(url.hostname), ...HOST_PARAMETERS.flatMap((name) => url.searchParams.getAll(name))];
  return [...new Set(named.flatMap((value) => value.split(',')).filter((host) => host !== ''))];
}
