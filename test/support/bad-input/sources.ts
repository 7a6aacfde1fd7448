import type { SourceConfig } from '@backfill/core/config/source';
import { testRecipe } from '@backfill/core/recipe/recipe-fixture';
import fc from 'fast-check';
import { MARKER, nastyText, rawJsonValue, TIMES } from './hostile-values.ts';

/** A source of one format, and files of it in which most lines are good and all are marked. */
export interface BadInputSource {
  source: Partial<SourceConfig>;
  file: fc.Arbitrary<Buffer>;
}

const { mapping } = testRecipe().source;
const TIME = '2026-03-14T15:09:26.535Z';
const CLF_TIME = '14/Mar/2026:15:09:26 +0000';
const MAX_RECORDS = 6;

type Members = [name: string, json: string][];

const marked = (text: string) => JSON.stringify(`${text} ${MARKER}`);
const written = (members: Members) => `{${members.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`;

const someTime = fc.oneof(
  { weight: 5, arbitrary: fc.constant(TIME) },
  { weight: 1, arbitrary: fc.constantFrom(...TIMES) },
);
const someTimeJson = (nanoseconds: boolean) =>
  fc.oneof(
    {
      weight: 5,
      arbitrary: nanoseconds
        ? fc.constantFrom('1773500966535897123', '"1773500966535897123"')
        : someTime.map((text) => JSON.stringify(text)),
    },
    { weight: 1, arbitrary: rawJsonValue },
  );

/** Members of the record or its data, one of them of any value, and sometimes one twice or one that nobody knows. */
function withHostileMembers(good: Members): fc.Arbitrary<Members> {
  const names = [...good.map(([name]) => name), '__proto__', 'constructor', '', '0', 'unknown'];
  const hostile = fc.tuple(fc.constantFrom(...names), rawJsonValue, fc.nat(good.length));
  return fc.array(hostile, { maxLength: 2 }).map((changes) =>
    changes.reduce<Members>((members, [name, json, at]) => {
      const index = members.findIndex(([known]) => known === name);
      if (index >= 0 && at % 2 === 0) return members.with(index, [name, json]);
      return members.toSpliced(at, 0, [name, json]);
    }, good),
  );
}

function jsonRecord(number: number, nanoseconds: boolean): fc.Arbitrary<string> {
  const data: Members = [
    ['amount', '5'],
    ['note', marked('note')],
    ['page', JSON.stringify(`/a?q=${MARKER}#${MARKER}`)],
    ['agent', marked('Firefox/1')],
    ['network', '"192.0.2.7"'],
    ['buyer', marked('buyer')],
    ['coupon', 'null'],
    ['ratio', '0.25'],
    ['tags', `["a",${marked('b')}]`],
    ['item', '{"sku":"s"}'],
  ];
  return fc
    .tuple(someTimeJson(nanoseconds), withHostileMembers(data))
    .chain(([at, members]) =>
      withHostileMembers([
        ['id', JSON.stringify(`r-${number}`)],
        ['at', at],
        ['type', '"Purchase"'],
        ['session', '"s-1"'],
        ['user', `{"id":${number},"email":${marked('mail')}}`],
        ['data', written(members)],
      ]),
    )
    .map(written);
}

/** Some records, with something between them. */
function records(
  record: (number: number) => fc.Arbitrary<string>,
  separator: fc.Arbitrary<string>,
  head = '',
): fc.Arbitrary<Buffer> {
  const numbers = fc.integer({ min: 1, max: MAX_RECORDS });
  return numbers
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, number) => fc.tuple(record(number), separator))))
    .map((parts) => Buffer.from(head + parts.flat().join('')));
}

const lineEnd = fc.oneof(
  { weight: 8, arbitrary: fc.constant('\n') },
  { weight: 1, arbitrary: fc.constantFrom('\r\n', '\n\n', '\n \n') },
);
const betweenValues = fc.constantFrom('', '\n', ' ', '\n\n', '\ufeff');
const webFields = { amount: 'status', note: 'referer', page: 'path', agent: 'user_agent', network: 'remote_addr' };

const combinedValue = fc.oneof({ weight: 4, arbitrary: fc.constant(MARKER) }, { weight: 1, arbitrary: nastyText });
const combinedRecord = () =>
  fc
    .tuple(
      combinedValue,
      combinedValue,
      combinedValue,
      fc.oneof({ weight: 5, arbitrary: fc.constant(CLF_TIME) }, { weight: 1, arbitrary: nastyText }),
    )
    .map(
      ([user, path, agent, time]) =>
        `192.0.2.7 - ${user} [${time}] "GET /${path} HTTP/1.1" 200 5 "https://h/${MARKER}" "${agent}"`,
    );

const COLUMNS = [
  'id',
  'at',
  'type',
  'session',
  'user.id',
  'amount',
  'note',
  'page',
  'coupon',
  'ratio',
  'tags',
  '__proto__',
];
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
const csvField = (good: string) =>
  fc.oneof(
    { weight: 15, arbitrary: fc.constant(good) },
    { weight: 1, arbitrary: nastyText.map(quoted) },
    { weight: 1, arbitrary: nastyText },
  );
const csvRecord = (number: number) =>
  fc
    .tuple(
      ...[csvField(`r-${number}`), someTime, csvField('Purchase'), csvField('s-1'), csvField(MARKER), csvField('5')],
      ...[csvField(`"two\nlines, ""${MARKER}"""`), csvField(`/a?q=${MARKER}`), csvField(''), csvField('0.25')],
      ...[csvField(quoted('["a"]')), csvField(MARKER)],
    )
    .map((fields) => fields.join(','));

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
const cloudfrontValues = fc.tuple(
  ...[
    '2026-03-14',
    '15:09:26',
    '192.0.2.7',
    'GET',
    `/${MARKER}`,
    '200',
    `https://h/${MARKER}`,
    `Mozilla/5.0%20${MARKER}`,
  ].map((good) => fc.oneof({ weight: 15, arbitrary: fc.constant(good) }, { weight: 1, arbitrary: nastyText })),
);
const cloudfront: Partial<SourceConfig> = {
  identity: 'payload',
  mapping: {
    time: { path: 'timestamp', format: 'iso' },
    event_name: { constant: 'purchased' },
    subject_id: { path: 'c-ip', pii: 'pseudonymise', domain: 'user' },
    properties: { amount: 'sc-status', page: 'cs-uri-stem', note: 'cs(Referer)', agent: 'cs(User-Agent)' },
  },
};

/** A source for every format and for every time format that changes how records are read. */
export const BAD_INPUT_SOURCES: Record<string, BadInputSource> = {
  ndjson: { source: {}, file: records((number) => jsonRecord(number, false), lineEnd) },
  'ndjson with nanoseconds': {
    source: { mapping: { ...mapping, time: { path: 'at', format: 'epoch-ns' } } },
    file: records((number) => jsonRecord(number, true), lineEnd),
  },
  'json-concat': {
    source: { format: 'json-concat' },
    file: records((number) => jsonRecord(number, false), betweenValues),
  },
  'JSON of no named format': {
    source: { format: undefined },
    file: fc.oneof(
      records((number) => jsonRecord(number, false), lineEnd),
      records((number) => jsonRecord(number, false), betweenValues),
    ),
  },
  combined: {
    source: {
      format: 'combined',
      identity: 'payload',
      mapping: {
        time: { path: 'time', format: 'clf' },
        event_name: { constant: 'purchased' },
        session_id: { path: 'remote_user', pii: 'pseudonymise', domain: 'login' },
        subject_id: { path: 'remote_addr', pii: 'pseudonymise', domain: 'user' },
        properties: webFields,
      },
    },
    file: records(combinedRecord, lineEnd),
  },
  csv: {
    source: {
      format: 'csv',
      csv: { types: { amount: 'number', ratio: 'number', tags: 'json' } },
      mapping: { ...mapping, properties: { '*': '*' } },
    },
    file: records(csvRecord, lineEnd, `${COLUMNS.join(',')}\n`),
  },
  cloudfront: {
    source: { ...cloudfront, format: 'cloudfront' },
    file: records(
      () => cloudfrontValues.map((values) => values.join('\t')),
      lineEnd,
      `#Version: 1.0\n#Fields: ${CLOUDFRONT_FIELDS.join(' ')}\n`,
    ),
  },
  'cloudfront-json': {
    source: { ...cloudfront, format: 'cloudfront-json' },
    file: records(
      () =>
        cloudfrontValues
          .chain((values) =>
            withHostileMembers(CLOUDFRONT_FIELDS.map((name, index) => [name, JSON.stringify(values[index])])),
          )
          .map(written),
      lineEnd,
    ),
  },
};
