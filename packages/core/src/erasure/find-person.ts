import { isUtf8 } from 'node:buffer';
import { COPY_FORMAT } from '../domain/format-name.ts';
import { isJsonObject } from '../domain/json.ts';
import { tryParseJson } from '../domain/try-json.ts';
import type { RawLine } from '../formats/raw-line.ts';
import type { FileFormat, StoredFormat } from '../formats/source-format.ts';
import type { KeyRing } from '../recipe/key-ring.ts';
import { rawIdentifier } from '../recipe/raw-identifier.ts';
import { compilePath } from '../recipe/read-path.ts';
import { compileRecordReader } from '../recipe/read-record.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { remember } from '../recipe/remember.ts';
import { pseudonymsUnder, subjectScheme } from './subject-pseudonyms.ts';

/** Pseudonym → the erasure that wants it forgotten. */
export type ForgottenPeople = ReadonlyMap<string, number>;

/** Whose a line is: an erasure's, somebody else's, or not to be told from the line. */
export type LinePerson = number | 'other' | 'unknown';

/** Says whose a line of a mirrored object is. Never throws for what stands in it. */
export type PersonFinder = (line: RawLine) => LinePerson;

const CACHE_SIZE = 20_000;
/** What an id may stand between in a line that cannot be read. */
const BETWEEN_IDS = /[^\p{L}\p{N}._@+-]+/u;
/** Parts of ids which a sentence may also put around one. */
const MARKS: ReadonlySet<string | undefined> = new Set('._@+-');
const MOST_WORDS = 10_000;

/**
 * Compiles the look at whose a line is, by the subject that the recipe reads, whatever becomes of the line: events out of
 * the window, expired and quarantined ones are somebody's too. The words of a line that cannot be read are looked at one
 * by one.
 */
export function compilePersonFinder(
  recipe: Recipe,
  keys: KeyRing,
  people: ForgottenPeople,
  file: StoredFormat,
): PersonFinder {
  if (file.format === COPY_FORMAT) return (line) => personOfCopy(line, people);
  const erasureOf = compileErasureOf(recipe, keys, people);
  const { mapping, csv = {} } = recipe.source;
  const readRecord = compileRecordReader(file as FileFormat, {
    exactIntegers: mapping.time.format === 'epoch-ns',
    csv,
  });
  const readSubject = mapping.subject_id === undefined ? undefined : compilePath(mapping.subject_id.path);
  return (line) => {
    const read = readRecord(line);
    if (!read.ok) return read.outcome.outcome === 'filtered' ? 'unknown' : findWord(line, erasureOf);
    const value = readSubject?.(read.record);
    if (value === undefined || value === null || value === '') return 'unknown';
    const id = rawIdentifier(value);
    return id === undefined ? findWord(line, erasureOf) : (erasureOf(id) ?? 'other');
  };
}

function compileErasureOf(recipe: Recipe, keys: KeyRing, people: ForgottenPeople): (id: string) => number | undefined {
  const scheme = subjectScheme(recipe.source);
  // Found as text, since what is remembered is text.
  const found = remember(CACHE_SIZE, (id) => {
    const names = scheme === undefined ? [] : pseudonymsUnder(scheme, keys, id);
    return names.find((name) => people.has(name)) ?? (people.has(id) ? id : '');
  });
  return (id) => people.get(found(id));
}

// A pattern that trims both ends looks at each run of marks from every start.
function trimMarks(word: string): string {
  let [start, end] = [0, word.length];
  while (start < end && MARKS.has(word[start])) start += 1;
  while (end > start && MARKS.has(word[end - 1])) end -= 1;
  return word.slice(start, end);
}

function findWord({ bytes }: RawLine, erasureOf: (id: string) => number | undefined): LinePerson {
  if (bytes === undefined) return 'unknown';
  for (const word of bytes.toString('utf8').split(BETWEEN_IDS, MOST_WORDS)) {
    if (word === '') continue;
    const erasure = erasureOf(word) ?? erasureOf(trimMarks(word));
    if (erasure !== undefined) return erasure;
  }
  return 'unknown';
}

function personOfCopy({ bytes }: RawLine, people: ForgottenPeople): LinePerson {
  const value = bytes !== undefined && isUtf8(bytes) ? tryParseJson(bytes.toString('utf8')) : undefined;
  if (!isJsonObject(value) || typeof value.subject_id !== 'string') return 'unknown';
  return people.get(value.subject_id) ?? 'other';
}
