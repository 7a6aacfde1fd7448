import { describe, expect, it } from 'vitest';
import { userAgentFamily } from './user-agent-family.ts';

describe('userAgentFamily', () => {
  it.each([
    [
      'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36',
      'Chrome 138',
    ],
    [
      'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0',
      'Edge 138',
    ],
    ['Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15', 'Safari 18'],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox 140'],
    ['Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', 'Googlebot 2'],
    ['Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko', 'Internet Explorer 11'],
    ['Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1)', 'Internet Explorer 6'],
    ['curl/8.5.0', 'curl 8'],
    ['Feedfetcher-Google; (+http://www.google.com/feedfetcher.html; 12 subscribers)', 'Feedfetcher-Google'],
    ['Firefox/491512345678', 'Firefox'],
    ['Firefox/x', 'Firefox'],
    ['jane.doe@example.org 192.0.2.7', 'Other'],
    ['', 'Other'],
  ])('reduces %s to %s', (agent, family) => {
    expect(userAgentFamily(agent)).toBe(family);
  });
});
