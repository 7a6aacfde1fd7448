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

it('finds its beginning again on a terminal that has got narrower, and so has broken its lines', () => {
  const out = terminal(11);
  const block = new LiveBlock(out);
  block.draw(['1234567890', 'short']);
  out.columns = 5;
  block.draw(['1234567890']);
  expect(out.written.at(-1)).toBe('\x1b[3A\r\x1b[J1234\n');
});

it('uses the room when the terminal gets wider', () => {
  const out = terminal(5);
  const block = new LiveBlock(out);
  block.draw(['123456']);
  out.columns = 80;
  block.draw(['123456']);
  expect(out.written.at(-1)).toBe('\x1b[1A\r\x1b[J123456\n');
});
