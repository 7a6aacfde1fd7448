import { describe, expect, it } from 'vitest';
import { DETECTOR_NAMES } from '../domain/detector-name.ts';
import { compileTextMask } from './detectors/mask-personal-data.ts';
import { compileReduceUrl } from './reduce-url.ts';

const maskText = compileTextMask(DETECTOR_NAMES);
const reduceUrl = compileReduceUrl([], (text) => maskText(text));

describe('a reduced URL', () => {
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
    ['/shop;jsessionid=1A2B3C/cart;v=2?q=1', '/shop/cart'],
    ['https://example.org/a;jane@example.org/b', 'https://example.org/a/b'],
    ['/call/+49%20151%2023456789', '/call/[phone]'],
  ])('reduces %s to %s', (url, reduced) => {
    expect(reduceUrl(url)).toBe(reduced);
  });
});

describe('a reduced URL with listed query keys', () => {
  const reduce = compileReduceUrl(['utm_source', 'page', 'q a'], (text) => maskText(text));

  it.each([
    ['/a?page=2&user=jane&utm_source=news#top', '/a?page=2&utm_source=news'],
    ['https://jane@example.org/?page=1', 'https://example.org/?page=1'],
    ['/a?user=jane', '/a'],
    ['/a#?page=2', '/a'],
    ['/a?page', '/a?page'],
    ['/a?utm%5Fsource=news', '/a?utm%5Fsource=news'],
    ['/a?q+a=b+c', '/a?q+a=b+c'],
    ['/a?%ZZ=1&page=3', '/a?page=3'],
    ['/a?page=jane%40example.org', '/a?page=[email]'],
    ['/a?page=1;user=jane@example.org', '/a?page=1;user=[email]'],
    ['/a?page=%2B49+151+2345678', '/a?page=[phone]'],
    ['mailto:jane@example.org?page=1', 'mailto:'],
  ])('of %s is %s', (url, reduced) => {
    expect(reduce(url)).toBe(reduced);
  });
});
