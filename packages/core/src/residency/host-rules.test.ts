import { describe, expect, it } from 'vitest';
import { hostsOf, isHostAllowed, isLoopback } from './host-rules.ts';

describe('isLoopback', () => {
  it.each(['127.0.0.1', '127.255.0.3', '::1', '[::1]', 'localhost', 'LOCALHOST.', '/var/run/postgresql'])(
    '%s is this machine',
    (host) => expect(isLoopback(host)).toBe(true),
  );
  it.each(['128.0.0.1', '127.0.0.1.example.eu', '0.0.0.0', '::', '::ffff:127.0.0.1', 'localhost.example.eu', ''])(
    '%s is not',
    (host) => expect(isLoopback(host)).toBe(false),
  );
});

describe('isHostAllowed', () => {
  const rules = { hosts: ['db.example.eu', '*.rds.example.eu', '10.0.0.7', '2001:DB8::7'], loopback: false };
  it.each([
    ['db.example.eu', true],
    ['DB.Example.EU.', true],
    ['a.db.example.eu', false],
    ['db.example.eu.evil.test', false],
    ['one.rds.example.eu', true],
    ['one.two.rds.example.eu', true],
    ['rds.example.eu', false],
    ['.rds.example.eu', false],
    ['evilrds.example.eu', false],
    ['10.0.0.7', true],
    ['10.0.0.70', false],
    ['[2001:db8::7]', true],
    ['127.0.0.1', false],
  ])('%s: %s', (host, allowed) => expect(isHostAllowed(host, rules)).toBe(allowed));

  it('leaves this machine to the policy, whatever the list says', () => {
    expect(isHostAllowed('127.0.0.1', { hosts: [], loopback: true })).toBe(true);
    expect(isHostAllowed('localhost', { hosts: ['localhost'], loopback: false })).toBe(false);
  });
});

describe('hostsOf', () => {
  it.each([
    ['postgres://me:secret@db.example.eu:5432/analytics', ['db.example.eu']],
    ['postgres://me@db.example.eu/a?host=elsewhere.test', ['db.example.eu', 'elsewhere.test']],
    ['postgres:///a?host=/var/run/postgresql', ['/var/run/postgresql']],
    ['postgres://%2Fvar%2Frun%2Fpostgresql/a', ['/var/run/postgresql']],
    ['postgres://a.example.eu,b.example.test/a', ['a.example.eu', 'b.example.test']],
    ['postgres:///a', []],
    ['redis://default:secret@127.0.0.1:6379', ['127.0.0.1']],
    ['https://[2001:db8::7]/', ['[2001:db8::7]']],
  ])('%s', (address, hosts) => expect(hostsOf(address)).toEqual(hosts));
});
