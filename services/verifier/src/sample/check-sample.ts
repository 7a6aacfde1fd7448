import type { StagedSample } from '@backfill/core/db/queries/staged-sample-list';
import { COPY_FORMAT } from '@backfill/core/domain/format-name';
import { tryParseJson } from '@backfill/core/domain/try-json';
import type { RawLine } from '@backfill/core/formats/raw-line';
import type { StoredFormat } from '@backfill/core/formats/source-format';
import { compileCopiedRecipe } from '@backfill/core/recipe/compile-copied-recipe';
import type { KeyRing } from '@backfill/core/recipe/key-ring';
import type { LineOutcome, TransformedEvent } from '@backfill/core/recipe/line-outcome';
import { compileLineMask, type LineMask, maskValue } from '@backfill/core/recipe/mask-line';
import type { Recipe } from '@backfill/core/recipe/recipe';
import { compileTaxonomyCheck, type TaxonomyCheck } from '@backfill/core/recipe/validate-event';
import { MASK, type Sample } from '@backfill/core/report/samples';
import { compilePinnedRecipe } from '@backfill/core/transform/compile-pinned-recipe';
import type { MirrorLine } from './read-lines.ts';

/** What a line became: its event, or the outcome of a line that gives none. */
type Again = TransformedEvent | string;

/** What is done with the lines of files that are written alike. */
interface FileTools {
  transform(line: RawLine): Again;
  mask: LineMask;
}

interface CheckTools {
  source: string;
  fileTools(file: StoredFormat): FileTools;
  checkTaxonomy: TaxonomyCheck;
}

/** The columns of a staged row as a line gives them, in the form of {@link StagedSample}. */
type Columns = Pick<
  StagedSample,
  'event_id' | 'source' | 'event_name' | 'schema_version' | 'event_time' | 'session_id' | 'subject_id' | 'payload'
>;

/** Compiles {@link checkSample} for the rows of one batch. */
export function compileSampleCheck(
  recipe: Recipe,
  keys: KeyRing,
): (staged: StagedSample, found: MirrorLine | undefined) => Sample {
  const compiled = new Map<string, FileTools>();
  const tools: CheckTools = {
    source: recipe.source.source,
    checkTaxonomy: compileTaxonomyCheck(recipe),
    fileTools({ format, header }) {
      const key = JSON.stringify([format, header]);
      const made = compiled.get(key) ?? compileFileTools(recipe, keys, { format, header });
      compiled.set(key, made);
      return made;
    },
  };
  return (staged, found) => checkSample(staged, found, tools);
}

function compileFileTools(recipe: Recipe, keys: KeyRing, { format, header }: StoredFormat): FileTools {
  // Who was suppressed since is staged all the same, and left out by the publish.
  const runtime = { keys, isSuppressed: () => false };
  const transform: (line: RawLine) => LineOutcome | undefined =
    format === COPY_FORMAT
      ? compileCopiedRecipe(recipe, runtime)
      : compilePinnedRecipe(recipe, runtime, { format, header, source_file: '' });
  return {
    transform(line) {
      const outcome = transform(line);
      if (outcome === undefined) return 'unreadable';
      return outcome.outcome === 'accepted' ? outcome.event : outcome.outcome;
    },
    mask: compileLineMask(recipe, { format, header }),
  };
}

/**
 * Transforms a staged row's line again, with the transformer's own recipe code, and compares every column byte for byte
 * and the row with the taxonomy. What the result shows is no more than the line's event does, whatever stands in the row.
 *
 * @param found undefined where the mirror has no such line
 */
function checkSample(staged: StagedSample, found: MirrorLine | undefined, tools: CheckTools): Sample {
  const { source, checkTaxonomy } = tools;
  const file = found && tools.fileTools(found);
  const event = found && file?.transform(found.line);
  const problems = [...lineProblems(staged, found, event), ...taxonomyProblems(staged, checkTaxonomy)];
  const given = typeof event === 'object' ? columnsOf(source, event) : undefined;
  if (given !== undefined) {
    for (const name of Object.keys(given) as (keyof Columns)[]) {
      if (given[name] !== staged[name]) problems.push(`${name === 'event_time' ? 'event_ts' : name} is another one`);
    }
  }
  return {
    event_id: staged.event_id,
    source_file: staged.source_file,
    line_no: staged.line_no,
    format: found?.format ?? 'unknown',
    raw_line: found && file ? file.mask(found.line, typeof event === 'object' ? event : undefined) : MASK,
    row: maskedRow(staged, given),
    matches: problems.length === 0,
    problems,
  };
}

function lineProblems(staged: StagedSample, found: MirrorLine | undefined, event: Again | undefined): string[] {
  if (staged.line_no === null) return ['the lineage has no line of its part for it'];
  if (found === undefined) return ['the mirror has no such line'];
  return typeof event === 'string' ? [`the line is ${event}, no event`] : [];
}

function taxonomyProblems(staged: StagedSample, check: TaxonomyCheck): string[] {
  const problem = check(staged, tryParseJson(staged.payload));
  return problem === undefined ? [] : [problem];
}

function columnsOf(source: string, event: TransformedEvent): Columns {
  return {
    event_id: event.eventId,
    source,
    event_name: event.eventName,
    schema_version: event.schemaVersion,
    event_time: new Date(event.eventTsMs).toISOString().replace(/\D/g, ''),
    session_id: event.sessionId,
    subject_id: event.subjectId,
    payload: event.payload,
  };
}

/** The row, as far as it is what its line gives: what else stands there went through no privacy rule. */
function maskedRow(staged: StagedSample, given: Columns | undefined): Sample['row'] {
  const keep = <Name extends keyof Columns>(name: Name) => (given?.[name] === staged[name] ? staged[name] : MASK);
  return {
    source: keep('source'),
    event_name: keep('event_name'),
    schema_version: keep('schema_version'),
    event_ts: isoTime(staged.event_time),
    session_id: keep('session_id'),
    subject_id: keep('subject_id'),
    payload: given?.payload === staged.payload ? staged.payload : maskedPayload(staged.payload, given?.payload),
  };
}

function maskedPayload(staged: string, given: string | undefined): string {
  const value = tryParseJson(staged);
  return value === undefined ? MASK : JSON.stringify(maskValue(value, given && tryParseJson(given)));
}

function isoTime(digits: string): string {
  return digits.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{3})$/, '$1-$2-$3T$4:$5:$6.$7Z');
}
