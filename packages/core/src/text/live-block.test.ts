import { expect, it } from 'vitest';
import { LiveBlock } from './live-block.ts';

function terminal(columns: number) {
  const written: string[] = [];
  return { written, columns, write: (text: string) => written.push(text) };
}

it('draws over what it drew before, and not at all when nothing changed', () => {
  const out = terminal(80);
  const block = new LiveBlock(out);
  block.draw(['one', 'two']);
  block.draw(['one', 'two']);
  block.draw(['three']);
  expect(out.written).toEqual(['one\ntwo\n', '\x1b[2A\r\x1b[Jthree\n']);
});

it('cuts lines before the terminal would wrap them', () => {
  const out = terminal(5);
  new LiveBlock(out).draw(['123456']);
  expect(out.written).toEqual(['1234\n']);
});

it('draws no more lines than the terminal can take back', () => {
  const out = { ...terminal(80), rows: 3 };
  const block = new LiveBlock(out);
  block.draw(['one', 'two', 'three']);
  block.draw(['four']);
  expect(out.written).toEqual(['one\ntwo\n', '\x1b[2A\r\x1b[Jfour\n']);
});
