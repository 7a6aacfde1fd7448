import { describe, expect, it } from 'vitest';
import { codeOfSql } from './sql-code.ts';

describe('codeOfSql', () => {
  it.each([
    ['a comment to the end of its line', 'select 1 -- ;\n, 2', 'select 1  \n, 2'],
    ['a comment at the end', 'select 1 -- ;', 'select 1  '],
    ['a comment of several lines', 'a /* ;\n) */ b', 'a   b'],
    ['a comment inside a comment, up to the first end', 'a /* /* x */ ; */ b', 'a   ; */ b'],
    ['a string with a doubled quote', "a 'it''s ;' b", 'a   b'],
    ['a backslash that is none in a plain string', String.raw`a '\' ; b`, 'a   ; b'],
    ['a backslash in an escape string', String.raw`a E'\' ;' b`, 'a E  b'],
    ['a name that ends in e before a string', String.raw`a like'\' ; b`, 'a like  ; b'],
    ['a quoted name', 'a "x;""y" b', 'a   b'],
    ['a dollar-quoted text', 'a $$ ; $$ b', 'a   b'],
    ['a dollar-quoted text with a name', 'a $x$ ; $$ $x$ b', 'a   b'],
    ['a parameter', 'a $1 ; b', 'a $1 ; b'],
  ])('takes out %s', (_, sql, code) => {
    expect(codeOfSql(sql)).toBe(code);
  });

  it.each(["a 'x", 'a "x', 'a /* x', 'a $$ x', String.raw`a e'x\'`])('does not know where %s ends', (sql) => {
    expect(codeOfSql(sql)).toBeUndefined();
  });
});
