import type { z } from 'zod';
import type { FieldError } from './problem.ts';

const pathText = (path: readonly PropertyKey[]) => path.map(String).join('.');

/** A name that a caller has made up may be anything, so a long one is cut. */
const MAX_NAME = 64;

function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: pathText([...issue.path, key.slice(0, MAX_NAME)]),
      message: 'is not a known field',
    }));
  }
  return [{ path: pathText(issue.path), message: issue.message }];
}

/** Every invalid field that zod has found, in its order; an unknown field is one as well. */
export function toFieldErrors(error: z.core.$ZodError): FieldError[] {
  return error.issues.flatMap(fieldErrors);
}
