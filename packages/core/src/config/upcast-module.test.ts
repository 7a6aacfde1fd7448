import { describe, expect, it } from 'vitest';
import { compileUpcastModule, upcastProblem } from './upcast-module.ts';

function run(body: string, properties = '{"a":1}', before = ''): string | undefined {
  const text = `${before}export function upcast(properties) {\n${body}\n}`;
  expect(upcastProblem(text)).toBeUndefined();
  return compileUpcastModule(text)(properties);
}

describe('compileUpcastModule', () => {
  it('gives what the upcast returns', () => {
    expect(run('const { a, ...rest } = properties; return { ...rest, b: a * 100 };', '{"a":1,"c":"x"}')).toBe(
      '{"c":"x","b":100}',
    );
    expect(
      run('properties.n = names[properties.a]; return properties; // end', '{"a":1}', 'const names = ["x", "y"];\n'),
    ).toBe('{"a":1,"n":"y"}');
  });

  it.each([
    'throw new Error("no");',
    'return undefined;',
    'return null;',
    'return [properties];',
    'return "text";',
    'return Promise.resolve(properties);',
    'return { a: NaN };',
    'return { a: 1 / 0 };',
    'return { a: () => 1 };',
    'return { a: 1n };',
    'properties.self = properties; return properties;',
    'return upcast(properties);',
    'return { a: process.env };',
    'return { a: fetch("http://127.0.0.1") };',
    'return { a: Date.now() };',
    'return { a: Math.random() };',
    'return { a: "ä".localeCompare("z") };',
    'return { a: (1.5).toLocaleString() };',
    'return { a: new Function("return 1")() };',
    'return { a: properties.constructor.constructor("return process")() };',
    'globalThis.seen = 1; return properties;',
    'Array.prototype.seen = 1; return properties;',
  ])('gives nothing for %s', (body) => {
    expect(run(body)).toBeUndefined();
  });

  it('remembers nothing from one call to the next', () => {
    const upcast = compileUpcastModule('let calls = 0;\nexport function upcast() {\n  return { calls: ++calls };\n}');
    expect([upcast('{}'), upcast('{}')]).toEqual(['{"calls":1}', '{"calls":1}']);
  });
});

describe('upcastProblem', () => {
  it.each([
    ['', 'must have one line'],
    ['export const upcast = (properties) => properties;', 'must have one line'],
    ['export default function upcast(properties) { return properties; }', 'must have one line'],
    ['export async function upcast(properties) { return properties; }', 'must have one line'],
    ['import fs from "node:fs";\nexport function upcast(properties) { return properties; }', 'without imports'],
    ['export function upcast(properties) { return properties; }\nexport const other = 1;', 'without imports'],
    ['export function upcast(properties) { import("node:fs"); return properties; }', 'without imports'],
    ['export function upcast(properties) { return properties;', 'without imports'],
    ['export function upcast(properties) { return properties; } }; {', 'without imports'],
    ['const properties = await 1;\nexport function upcast() { return {}; }', 'without imports'],
  ])('refuses %j', (text, problem) => {
    expect(upcastProblem(text)).toContain(problem);
  });
});
