import { describe, expect, it } from 'vitest';
import { reduceUrl } from './reduce-url.ts';

describe('reduceUrl', () => {
  it.each([
    ['https://example.org/a/b?c=d#e', 'https://example.org/a/b'],
    ['https://jane:secret@example.org:8443/a', 'https://example.org:8443/a'],
    ['https://a@b@example.org', 'https://example.org'],
    ['//jane@example.org/a', '//example.org/a'],
    ['/a/b?c=d', '/a/b'],
    ['/a/@b', '/a/@b'],
    ['?token=secret', ''],
    ['#/users/jane', ''],
    ['mailto:jane@example.org', 'mailto:'],
    ['data:text/plain,Jane', 'data:'],
    ['/users/jane.doe@example.org/edit', '/users/[email]/edit'],
    ['/users/jane.doe%40example.org/edit', '/users/[email]/edit'],
    ['/users/jane.doe%2540example.org', '/users/[email]'],
    ['http://192.0.2.7:80/x', 'http://[ip]:80/x'],
    ['http://[2001:db8::7]/x', 'http://[[ip]]/x'],
    ['/whois/192.0.2.7', '/whois/[ip]'],
    ['/whois/192%2E0%2e2%2E7', '/whois/[ip]'],
    ['/gr%C3%B6%C3%9Fe/100%', '/gr%C3%B6%C3%9Fe/100%'],
    ['/wiki/C++:std::vector', '/wiki/C++:std::vector'],
  ])('reduces %s to %s', (url, reduced) => {
    expect(reduceUrl(url)).toBe(reduced);
  });
});
