import { expect, it } from 'vitest';
import { findPersonalNames, personalDataInName } from './personal-name.ts';

it.each([
  ['alice@example.com.log', 'email'],
  ['users/alice%40example.com/2026-11-01.log.gz', 'email'],
  ['statements/DE89370400440532013000.json', 'iban'],
  ['statements/DE89 3704 0044 0532 0130 00.json', 'iban'],
  ['calls/+4915123456789.log', 'phone'],
  ['calls/+49 151 234-56789/a.log', 'phone'],
  ['%2B4915123456789.log', 'phone'],
  ['alice@example.com/100%.log', 'email'],
  ['alice@example.com.ndjson.gz', 'email'],
  ['alice@mail.example.log', 'email'],
  ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl.log', 'jwt'],
])('finds a person in %s', (name, kind) => {
  expect(personalDataInName(name)).toEqual([kind]);
});

it.each([
  ['a web server', 'access.log.2026110112'],
  ['a server by its address', 'web-10.0.3.7/access.log'],
  ['CloudFront', 'EMLARXS9EXAMPLE.2026-11-01-20.RT4KCN4SGK9.gz'],
  ['Firehose', '2026/11/01/10/stream-1-2026-11-01-10-00-00-1b4e28ba-2fa1-11d2-883f-0016d3cca427'],
  ['Cloudflare', '20261101/20261101T100000Z_20261101T100500Z_d41d8cd9.log.gz'],
  [
    'a load balancer',
    'AWSLogs/123456789012/elasticloadbalancing/eu-central-1/2026/11/01/123456789012_elasticloadbalancing_eu-central-1_app.lb.1234567890abcdef_20261101T0000Z_172.160.001.192_20sg8hgm.log.gz',
  ],
  ['Kafka', 'topics/clicks/partition=3/clicks+3+0012345678.json'],
  ['Spark', 'dt=2026-11-01/part-00000-1b4e28ba-2fa1-11d2-883f-0016d3cca427-c000.gz'],
  ['Segment', 'segment-logs/abcDEFghiJKL/1761955200000/1761955200000.abc.gz'],
  ['a shard', 'shard-6/2026/11/01/10/00/30/6.log'],
  ['a hash', 'd41d8cd98f00b204e9800998ecf8427e.json'],
  ['a time', '2026-11-01 10:00:00+02.log'],
  ['a systemd instance', 'postgresql@14-main.log'],
  ['a systemd unit', 'getty@tty1.service.log.gz'],
  ['a program and a day', 'app@2026-11-01.ndjson.gz'],
  ['a picture', 'icon@2x.png'],
  ['a topic and its version', 'topic@v1.2.json'],
  ['a program and its place', 'nginx@prod.log'],
])('takes a name of %s for no person', (_, name) => {
  expect(personalDataInName(name)).toEqual([]);
});

it('tells names by their places', () => {
  expect(findPersonalNames(['a.log', 'b.log'])).toBeUndefined();
  expect(findPersonalNames(['a.log', 'alice@example.com.log'])).toEqual({ count: 1, places: '2 (email)' });
  const many = Array.from({ length: 12 }, (_, number) => `p${number}@example.com`);
  expect(findPersonalNames(many)).toEqual({
    count: 12,
    places: expect.stringMatching(/^1 \(email\), .*10 \(email\), …$/),
  });
});
