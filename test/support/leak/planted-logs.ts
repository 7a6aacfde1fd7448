import { DETECTABLE, type Planter, UNDETECTABLE } from './identifiers.ts';
import { MAX_LINE_BYTES } from './leak-config.ts';

const EVERYTHING = { ...DETECTABLE, ...UNDETECTABLE };
/** A tax id is a number of eleven digits: an id that is declared to name nobody may be one. */
const { 'tax-id': _, ...IN_IDS } = DETECTABLE;

type Json = string | number | null | Json[] | { [name: string]: Json };
type Fields = { [name: string]: Json };

/** How an identifier gets into a record, and which kinds the place has to cope with. */
type JsonPlace = [place: string, kinds: Record<string, (n: number) => string>, plant: (text: string) => Fields];

const data = (fields: Fields): Fields => ({ data: { amount: 1, ...fields } });
const url = (make: (text: string) => string) => (text: string) => data({ page: make(text) });

const JSON_PLACES: JsonPlace[] = [
  ['scan', DETECTABLE, (text) => data({ comment: `before ${text} after` })],
  ['scan, glued', DETECTABLE, (text) => data({ comment: `(${text}),"${text}";` })],
  ['scan, percent-encoded', DETECTABLE, (text) => data({ comment: `x=${encodeURIComponent(text)}&y` })],
  ['scan in an array', DETECTABLE, (text) => data({ words: ['a', text, `b ${text}`] })],
  ['scan in an object', DETECTABLE, (text) => data({ item: { note: text } })],
  ['path of a URL', DETECTABLE, url((text) => `https://example.org/of/${text}/x`)],
  ['encoded path of a URL', DETECTABLE, url((text) => `/of/${encodeURIComponent(text)}`)],
  ['kept query value', DETECTABLE, url((text) => `/a?topic=${encodeURIComponent(text)}`)],
  ['other query value', EVERYTHING, url((text) => `/a?topic=1&q=${text}`)],
  ['query key', EVERYTHING, url((text) => `/a?${encodeURIComponent(text)}=1&topic=2`)],
  ['fragment of a URL', EVERYTHING, url((text) => `/a#${text}`)],
  ['parameter of a URL', EVERYTHING, url((text) => `/a;s=${text.replaceAll('/', '')}/b`)],
  ['user of a URL', EVERYTHING, url((text) => `https://${encodeURIComponent(text)}:x@example.org/`)],
  ['mailto', EVERYTHING, url((text) => `mailto:${text}`)],
  ['user agent', EVERYTHING, (text) => data({ agent: `Mozilla/5.0 (${text}) Firefox/140.0 ${text}` })],
  ['address', EVERYTHING, (text) => data({ network: text })],
  ['pseudonym', EVERYTHING, (text) => data({ buyer: text })],
  ['pseudonym in an object', EVERYTHING, (text) => data({ item: { customer: text } })],
  ['dropped', EVERYTHING, (text) => data({ contact: text })],
  ['dropped in an object', EVERYTHING, (text) => data({ item: { owner: text } })],
  ['unknown field', EVERYTHING, (text) => ({ ...data({}), extra: text, deep: [{ er: text }] })],
  ['unknown property', EVERYTHING, (text) => data({ other: { a: text } })],
  ['unknown property in an object', EVERYTHING, (text) => data({ item: { other: text } })],
  ['name of a field', EVERYTHING, (text) => ({ ...data({}), [text]: 1 })],
  ['name of a property', EVERYTHING, (text) => data({ [text]: 'x' })],
  ['name in an object', EVERYTHING, (text) => data({ item: { [text]: { [text]: 1 } } })],
  ['value of an enum', EVERYTHING, (text) => data({ kind: text })],
  ['text for a number', EVERYTHING, (text) => data({ amount: text })],
  ['text for an object', EVERYTHING, (text) => data({ item: text })],
  ['list for text', EVERYTHING, (text) => data({ comment: [text] })],
  ['object for text', EVERYTHING, (text) => data({ page: { [text]: text } })],
  ['too long a text', EVERYTHING, (text) => data({ comment: `${text} ${'x'.repeat(600)}` })],
  ['unusable character', EVERYTHING, (text) => data({ contact: text, comment: 'a\u0000b' })],
  ['time', EVERYTHING, (text) => ({ ts: text, ...data({}) })],
  ['time outside the window', EVERYTHING, (text) => ({ ts: '2026-10-01T00:00:00Z', user: text, ...data({}) })],
  ['event name', EVERYTHING, (text) => ({ name: text, ...data({}) })],
  ['record id', IN_IDS, (text) => ({ id: text, ...data({}) })],
  ['session id', IN_IDS, (text) => ({ session: text, ...data({}) })],
  ['subject id', EVERYTHING, (text) => ({ user: text, ...data({}) })],
  ['object as subject id', EVERYTHING, (text) => ({ user: { [text]: text }, ...data({}) })],
];

/** Places of a line that is no record of its format. */
const BROKEN_PLACES: [place: string, plant: (text: string) => string | Buffer][] = [
  ['half a record', (text) => `{"id": "b", "user": "${text}", "data": {`],
  ['no record', (text) => `${text}`],
  [
    'not UTF-8',
    (text) => Buffer.concat([Buffer.from(`{"user": "${text}`), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
  ],
  ['too long a line', (text) => `{"user": "${text}", "x": "${'x'.repeat(MAX_LINE_BYTES)}"}`],
];

const COMBINED_PLACES: [
  place: string,
  kinds: Record<string, (n: number) => string>,
  plant: (text: string) => string[],
][] = [
  ['remote address', IN_IDS, (text) => [encodeURIComponent(text), '-', '/', '-', 'curl/8']],
  ['user', EVERYTHING, (text) => ['192.0.2.1', encodeURIComponent(text), '/', '-', 'curl/8']],
  ['path', DETECTABLE, (text) => ['192.0.2.1', '-', `/of/${encodeURIComponent(text)}`, '-', 'curl/8']],
  ['kept query', DETECTABLE, (text) => ['192.0.2.1', '-', `/?topic=${encodeURIComponent(text)}`, '-', 'curl/8']],
  ['query', EVERYTHING, (text) => ['192.0.2.1', '-', `/?q=${encodeURIComponent(text)}`, '-', 'curl/8']],
  ['referer', DETECTABLE, (text) => ['192.0.2.1', '-', '/', `https://example.org/${text}`, 'curl/8']],
  ['query of the referer', EVERYTHING, (text) => ['192.0.2.1', '-', '/', `https://e.org/?q=${text}`, 'curl/8']],
  ['user agent', EVERYTHING, (text) => ['192.0.2.1', '-', '/', '-', `Mozilla/5.0 (${text})`]],
  ['a method that is none', EVERYTHING, (text) => ['192.0.2.1', '-', ` ${text}`, '-', 'curl/8']],
];

const second = (number: number) => new Date(Date.UTC(2026, 10, 1) + number * 1_000).toISOString();

/** Records with an identifier of every kind at every place, as JSON texts. */
export function plantedRecords(planter: Planter, format: string): string[] {
  const records: string[] = [];
  for (const [place, kinds, plant] of JSON_PLACES) {
    for (const { text } of planter.every(`${format}: ${place}`, kinds)) {
      const number = records.length;
      const record = {
        id: `${format}-${number}`,
        ts: second(number),
        name: 'Leak',
        session: 's',
        user: 'u',
        ...plant(text),
      };
      records.push(JSON.stringify(record));
    }
  }
  return records;
}

/** Places in a record without anything below its fields. */
const COLUMN_PLACES: [column: string, kinds: Record<string, (n: number) => string>][] = [
  ['id', IN_IDS],
  ['session', IN_IDS],
  ['comment', DETECTABLE],
  ['page', DETECTABLE],
  ...['ts', 'name', 'user', 'agent', 'network', 'buyer', 'contact', 'kind', 'amount', 'extra'].map(
    (column): [string, typeof EVERYTHING] => [column, EVERYTHING],
  ),
];

/** A field of CSV; without quotes where there is nothing, which stands for null. */
const quoted = (text: string | undefined) => (text === undefined ? '' : `"${text.replaceAll('"', '""')}"`);

/** A CSV file with an identifier of every kind in every column, in the header too, and in records that are none. */
export function plantedCsv(planter: Planter): string {
  const columns = COLUMN_PLACES.map(([column]) => column);
  const unknown = planter.every('csv: header', EVERYTHING).map(({ text }) => text);
  const rows = [[...columns, ...unknown].map(quoted).join(',')];
  for (const [place, kinds] of COLUMN_PLACES) {
    for (const { text } of planter.every(`csv: ${place}`, kinds)) {
      const good = { id: `csv-${rows.length}`, ts: second(rows.length), name: 'Leak', session: 's', user: 'u' };
      const record: Record<string, string> = { ...good, [place]: place === 'comment' ? `two\nlines ${text}` : text };
      rows.push([...columns, ...unknown].map((column) => quoted(record[column])).join(','));
    }
  }
  for (const { text } of planter.every('csv: too many columns', EVERYTHING)) rows.push(`${quoted(text)},`.repeat(99));
  for (const { text } of planter.every('csv: too few columns', EVERYTHING)) rows.push(quoted(text));
  return `${rows.join('\n')}\n`;
}

const CLOUDFRONT_FIELDS = [
  'date',
  'time',
  'c-ip',
  'cs-method',
  'cs-uri-stem',
  'sc-status',
  'cs(Referer)',
  'cs(User-Agent)',
];
const CLOUDFRONT_UNKNOWN = ['cs-uri-query', 'cs(Cookie)', 'x-forwarded-for', 'cs-username'];

/** A CloudFront log with an identifier of every kind in every field, in a comment, and in lines that are none. */
export function plantedCloudfront(planter: Planter): string {
  const places = [...CLOUDFRONT_FIELDS, ...CLOUDFRONT_UNKNOWN];
  const lines = ['#Version: 1.0', `#Fields: ${places.join(' ')}`];
  for (const { text } of planter.every('cloudfront: comment', EVERYTHING)) lines.push(`#Remark: ${text}`);
  for (const place of places) {
    const kinds = place === 'cs-uri-stem' || place === 'cs(Referer)' ? DETECTABLE : EVERYTHING;
    for (const { text } of planter.every(`cloudfront: ${place}`, kinds)) {
      const [date, time] = second(lines.length).split('T');
      const good: Record<string, string | undefined> = { date, time: time?.slice(0, 8), 'c-ip': '192.0.2.1' };
      const record = { ...good, 'cs-method': 'GET', 'cs-uri-stem': '/', 'sc-status': '200', [place]: escaped(text) };
      lines.push(places.map((name) => record[name as keyof typeof record] ?? '-').join('\t'));
    }
  }
  for (const { text } of planter.every('cloudfront: no line of a log', EVERYTHING)) lines.push(text);
  return `${lines.join('\n')}\n`;
}

/** CloudFront's log v2 as JSON, with an identifier of every kind in every field, in a name, and in lines that are none. */
export function plantedCloudfrontJson(planter: Planter): string {
  const lines: string[] = [];
  const add = (fields: Record<string, string>) => {
    const [date = '', time = ''] = second(lines.length).split('T');
    const good = {
      date,
      time: time.slice(0, 8),
      'x-edge-location': 'FRA50-C1',
      'c-ip': '192.0.2.1',
      'cs-method': 'GET',
    };
    lines.push(JSON.stringify({ ...good, 'cs-uri-stem': '/', 'sc-status': '200', ...fields }));
  };
  for (const place of [...CLOUDFRONT_FIELDS, ...CLOUDFRONT_UNKNOWN, 'x-edge-location']) {
    const kinds = place === 'cs-uri-stem' || place === 'cs(Referer)' ? DETECTABLE : EVERYTHING;
    for (const { text } of planter.every(`cloudfront-json: ${place}`, kinds)) add({ [place]: escaped(text) });
  }
  for (const { text } of planter.every('cloudfront-json: name', EVERYTHING)) add({ [text]: '1' });
  for (const { text } of planter.every('cloudfront-json: no record', EVERYTHING)) lines.push(`{"c-ip":"${text}"`);
  return `${lines.join('\n')}\n`;
}

/** Records of an older version, which their upcast keeps, fails on, or hands on in a wrong way; and versions that are none. */
export function plantedOldRecords(planter: Planter): string {
  const lines: string[] = [];
  const add = (version: string, fields: Fields) => {
    const number = lines.length;
    const ids = { id: `upcast-${number}`, session: 's', user: 'u' };
    lines.push(JSON.stringify({ ...ids, ts: second(number), name: 'Leak', version, data: { amount: 1, ...fields } }));
  };
  for (const way of ['keep', 'throw', 'type', 'name', 'text']) {
    const kinds = way === 'keep' ? DETECTABLE : EVERYTHING;
    for (const { text } of planter.every(`upcast: ${way}`, kinds)) add('1-0-0', { way, comment: text });
    for (const { text } of planter.every(`upcast: ${way}, dropped`, EVERYTHING)) add('1-0-0', { way, contact: text });
  }
  for (const { text } of planter.every('upcast: version', EVERYTHING)) add(text, {});
  return `${lines.join('\n')}\n`;
}

/** Names of files that show who they are about, as far as that can be told from a name. */
export function plantedNames(planter: Planter): string[] {
  const { email, iban, jwt } = DETECTABLE as Record<string, (n: number) => string>;
  const phone = (n: number) => `+4915188${String(n).padStart(6, '0')}`;
  const kinds = { email, iban, jwt, phone } as Record<string, (n: number) => string>;
  return [
    ...planter.every('name of a file', kinds).map(({ text }) => `${text}.log`),
    ...planter.every('name of a folder', kinds).map(({ text }) => `users/${text}/access.log`),
    ...planter.every('encoded name of a file', kinds).map(({ text }) => `of-${encodeURIComponent(text)}.log`),
  ];
}

/** As CloudFront writes a value. */
function escaped(text: string): string {
  return text.replace(/[% "]/g, (sign) => encodeURIComponent(sign));
}

/** Lines that are no records. */
export function brokenLines(planter: Planter, format: string): Buffer[] {
  return BROKEN_PLACES.flatMap(([place, plant]) =>
    planter.every(`${format}: ${place}`, EVERYTHING).map(({ text }) => Buffer.from(plant(text))),
  );
}

/** An access log with an identifier of every kind at every place. */
export function plantedAccessLog(planter: Planter): string {
  const lines: string[] = [];
  for (const [place, kinds, plant] of COMBINED_PLACES) {
    for (const { text } of planter.every(`combined: ${place}`, kinds)) {
      const [address, user, path, referer, agent] = plant(text);
      const time = second(lines.length).slice(11, 19);
      const request = `GET ${path} HTTP/1.1`;
      lines.push(`${address} - ${user} [01/Nov/2026:${time} +0000] "${request}" 200 5 "${referer}" "${agent}"`);
    }
  }
  for (const { text } of planter.every('combined: no line of a log', EVERYTHING)) lines.push(text);
  return `${lines.join('\n')}\n`;
}
