import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskIp } from './mask-ip.ts';

describe('maskIp', () => {
  it.each([
    ['192.0.2.77', '192.0.2.0'],
    ['255.255.255.255', '255.255.255.0'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::'],
    ['2001:DB8::1', '2001:db8::'],
    ['2001:0db8:0000:0001::1', '2001:db8::'],
    ['::1', '::'],
    ['0:0:5::', '0:0:5::'],
    ['fe80::1%eth0', 'fe80::'],
    ['::ffff:192.0.2.77', '192.0.2.0'],
    ['::ffff:c000:24d', '192.0.2.0'],
    ['64:ff9b::192.0.2.77', '64:ff9b::'],
    ['2002:c000:24d::1', '2002:c000:200::'],
  ])('cuts %s to %s', (address, network) => {
    expect(maskIp(address)).toBe(network);
  });

  it.each(['', 'localhost', '1.2.3', '1.2.3.4:80', '256.1.1.1', ':::'])('refuses %j', (text) => {
    expect(maskIp(text)).toBeUndefined();
  });

  it('gives a network that is its own mask, whatever the host', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        const network = maskIp(address);
        expect(network).toBeDefined();
        expect(maskIp(network ?? '')).toBe(network);
      }),
    );
  });
});
