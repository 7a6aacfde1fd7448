import type { Detector } from './detector.ts';

const ADDRESS = /(?<!\d)(?:25[0-5]|2[0-4]\d|[01]?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|[01]?\d?\d)){3}(?!\d)/g;

/**
 * IPv4 addresses. A version number of four small parts looks the same and is masked too; so are
 * the first four parts of a longer row, since `192.0.2.7.443` is how some tools write a port.
 */
export const ipv4: Detector = {
  name: 'ipv4',
  hint: /\d\.\d/,
  judgesIdentifiers: true,
  mask: (text) => text.replace(ADDRESS, '[ip]'),
};
