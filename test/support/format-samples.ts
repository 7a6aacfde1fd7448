import { gzipSync, zstdCompressSync } from 'node:zlib';
import { accessLine } from './access-log.ts';

/** The same requests of one day, written by different systems. All fall into ACCESS_WINDOW. */
export interface FormatSample {
  /** What a source file says besides its name: undefined `format` leaves it to the content. */
  source: { format?: string; csv?: object; time: object; properties: Record<string, string> };
  files: Record<string, Buffer | string>;
  /** The format that the plan states for each file. */
  format: string;
  /** Records of all files, and what becomes of them. */
  read: number;
  accepted: number;
  filtered: number;
  quarantine: { source_file: string; line_no: number; reason: string }[];
}

const COUNT = 60;
const numbers = Array.from({ length: COUNT }, (_, number) => number);
const clock = (number: number) => new Date(Date.UTC(2026, 10, 1, 10, 0, number)).toISOString();
const request = (number: number) => ({ at: clock(number), path: `/page/${number}`, code: 200 + (number % 3) });
const ISO = { path: 'at', format: 'iso' };
const PROPERTIES = { path: 'path', status: 'code' };
const none = { filtered: 0, quarantine: [] };

const CLOUDFRONT_FIELDS = ['date', 'time', 'c-ip', 'cs-method', 'cs-uri-stem', 'sc-status', 'cs(User-Agent)'];
const CLOUDFRONT = {
  time: { path: 'timestamp', format: 'iso' },
  properties: { path: 'cs-uri-stem', status: 'sc-status', method: 'cs-method', browser: 'cs(User-Agent)' },
};

function cloudfrontValues(number: number): string[] {
  const time = clock(number).slice(11, 19);
  const agent = 'Mozilla/5.0%20(X11)%20Firefox/132.0';
  return ['2026-11-01', time, '192.0.2.1', 'GET', `/page/${number}`, '200', number % 2 === 0 ? agent : '-'];
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}

const json = numbers.map((number) => JSON.stringify(request(number)));
const ndjson = { time: ISO, properties: PROPERTIES };
const half = COUNT / 2;

export const FORMAT_SAMPLES: Record<string, FormatSample> = {
  'ndjson, plain, as gzip of several members and as zstd of several frames': {
    source: ndjson,
    files: {
      'a.json': lines(json.slice(0, 20)),
      'b.json.gz': Buffer.concat([gzipSync(lines(json.slice(20, 30))), gzipSync(lines(json.slice(30, 40)))]),
      'c.json.zst': Buffer.concat([
        zstdCompressSync(lines(json.slice(40, 50))),
        zstdCompressSync(lines(json.slice(50))),
      ]),
    },
    format: 'ndjson',
    read: COUNT,
    accepted: COUNT,
    ...none,
  },
  'Cloudflare Logpush with times in nanoseconds': {
    source: {
      time: { path: 'EdgeStartTimestamp', format: 'epoch-ns' },
      properties: { path: 'ClientRequestURI', status: 'EdgeResponseStatus' },
    },
    files: {
      'logpush.log.gz': gzipSync(
        lines(
          numbers.map(
            (number) =>
              `{"ClientRequestURI":"/page/${number}","EdgeResponseStatus":200,"EdgeStartTimestamp":${Date.parse(clock(number))}000000}`,
          ),
        ),
      ),
    },
    format: 'ndjson',
    read: COUNT,
    accepted: COUNT,
    ...none,
  },
  'a combined log': {
    source: { time: { path: 'time', format: 'clf' }, properties: { '*': '*' } },
    files: { 'access.log': lines(numbers.map(accessLine)) },
    format: 'combined',
    read: COUNT,
    accepted: COUNT,
    ...none,
  },
  'a legacy CloudFront log': {
    source: CLOUDFRONT,
    files: {
      'E1.2026-11-01-10.gz': gzipSync(
        lines([
          '#Version: 1.0',
          `#Fields: ${CLOUDFRONT_FIELDS.join(' ')}`,
          ...numbers.slice(0, half).map(cloudfrontLine),
        ]),
      ),
      'E1.2026-11-01-11': lines([
        '#Version: 1.0',
        `#Fields: ${CLOUDFRONT_FIELDS.join(' ')}`,
        ...numbers.slice(half).map(cloudfrontLine),
        '2026-11-01\t10:00:00\tcut',
      ]),
    },
    format: 'cloudfront',
    read: COUNT + 5,
    accepted: COUNT,
    filtered: 4,
    quarantine: [{ source_file: 'E1.2026-11-01-11', line_no: half + 3, reason: 'parse: wrong_field_count' }],
  },
  'a CloudFront log as JSON, by the same mapping': {
    source: CLOUDFRONT,
    files: {
      'v2.json': lines(
        numbers.map((number) => {
          const values = cloudfrontValues(number);
          const fields = CLOUDFRONT_FIELDS.map((name, index) => [name, values[index]]);
          return JSON.stringify({ ...Object.fromEntries(fields), 'x-edge-location': 'FRA50-C1' });
        }),
      ),
    },
    format: 'cloudfront-json',
    read: COUNT,
    accepted: COUNT,
    ...none,
  },
  'concatenated JSON with a record that is cut': {
    source: ndjson,
    files: { firehose: `${json.slice(0, half).join('')}{"at":"2026-11-01T10${json.slice(half).join('')}` },
    format: 'json-concat',
    read: COUNT + 1,
    accepted: COUNT,
    filtered: 0,
    quarantine: [{ source_file: 'firehose', line_no: half + 1, reason: 'parse: not_json' }],
  },
  'CSV with quoted line ends, and a quote that is never closed': {
    source: { csv: { types: { code: 'number' } }, time: ISO, properties: PROPERTIES },
    files: {
      'export.csv': `at;path;code;note\n${lines(
        numbers.map((number) => `${clock(number)};/page/${number};200;"two\nlines; ""quoted"""`),
      )}2026-11-01T10:00:00Z;/x;200;"open\n`,
    },
    format: 'csv',
    read: COUNT + 2,
    accepted: COUNT,
    filtered: 1,
    quarantine: [{ source_file: 'export.csv', line_no: COUNT + 2, reason: 'parse: not_csv' }],
  },
  'an UNLOAD without header row, named by the source': {
    source: {
      format: 'csv',
      csv: { delimiter: '|', columns: ['at', 'path', 'code'], types: { code: 'number' } },
      time: ISO,
      properties: PROPERTIES,
    },
    files: {
      '0000_part_00.zst': zstdCompressSync(lines(numbers.map((number) => `${clock(number)}|/page/${number}|200`))),
    },
    format: 'csv',
    read: COUNT,
    accepted: COUNT,
    ...none,
  },
};

function cloudfrontLine(number: number): string {
  return cloudfrontValues(number).join('\t');
}
