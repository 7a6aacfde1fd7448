/** 2000-01-01 in ms since 1970: where PostgreSQL counts from. */
const POSTGRES_EPOCH_MS = 946_684_800_000;
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const TIME_COLUMN = 3;

function field(bytes: Buffer): Buffer[] {
  const length = Buffer.alloc(4);
  length.writeInt32BE(bytes.length);
  return [length, bytes];
}

function time(text: string): Buffer {
  const micros = Buffer.alloc(8);
  micros.writeBigInt64BE(BigInt(Date.parse(text) - POSTGRES_EPOCH_MS) * 1_000n);
  return micros;
}

function absent(): Buffer[] {
  const length = Buffer.alloc(4);
  length.writeInt32BE(-1);
  return [length];
}

/** A text field of COPY's text form, as it was before it was written there. */
function unescaped(text: string): string {
  return text.includes('\\') ? text.replaceAll(/\\(.)/g, (_, sign: string) => ESCAPES[sign] ?? sign) : text;
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', b: '\b', f: '\f', v: '\v' };

/** The rows of a part's object in COPY's binary form, as a transformer that wrote it would have. */
export function binaryRows(object: Buffer): Buffer {
  const rows = object.toString().split('\n').slice(0, -1);
  const pieces: Buffer[] = [SIGNATURE, Buffer.alloc(8)];
  for (const row of rows) {
    const fields = row.split('\t');
    const count = Buffer.alloc(2);
    count.writeInt16BE(fields.length);
    pieces.push(count);
    for (const [column, text] of fields.entries()) {
      if (text === '\\N') pieces.push(...absent());
      else pieces.push(...field(column === TIME_COLUMN ? time(text) : Buffer.from(unescaped(text))));
    }
  }
  pieces.push(Buffer.from([0xff, 0xff]));
  return Buffer.concat(pieces);
}
