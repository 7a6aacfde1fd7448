import pg from 'pg';
import { isDependencyUnavailable } from '../errors.ts';

/** A statement that took too long (or was cancelled), and one that needs more temporary space than it may take. */
const TOO_LONG = '57014';
const TOO_LARGE = '53400';
const WRITES = '25006';
/** Syntax errors, unknown names, what is not supported. */
const ABOUT_THE_QUERY = /^(42|0A)/;

/**
 * Whether PostgreSQL speaks of the query's own text, which its message quotes then: it says where in the text. What it finds
 * out while the query runs (a value that is taken for a name, or for a query of its own) has no such place, and quotes data.
 */
function isAboutQuery({ code, position }: pg.DatabaseError): boolean {
  return position !== undefined && ABOUT_THE_QUERY.test(code ?? '');
}

/**
 * Why a query could not give an answer, without any value of the data; undefined when that is nothing against the query:
 * the database was lost, overloaded or shut down, the work was stopped, or the error is none of PostgreSQL's.
 */
export function queryFailure(error: unknown): string | undefined {
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return undefined;
  const { code, message } = error;
  if (code === TOO_LONG) return `the query took longer than it may, or was cancelled (${code})`;
  if (code === TOO_LARGE) return `the query needs more temporary space than it may take (${code})`;
  if (isDependencyUnavailable(error)) return undefined;
  if (code === WRITES) return `the query tries to write (${code})`;
  return isAboutQuery(error) ? `${message} (${code})` : `the query failed (SQLSTATE ${code})`;
}
