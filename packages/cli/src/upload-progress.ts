import { formatCount, formatQuantity } from '@backfill/core/text/format-number';
import { LiveBlock, type TextOutput } from '@backfill/core/text/live-block';

/** Least time between two lines on a pipe. */
const PLAIN_INTERVAL_MS = 10_000;

/** Tells how far an upload is: drawn over on a terminal, a line now and then on a pipe. Called after each file. */
export function uploadProgress(out: TextOutput, files: number): () => void {
  const block = new LiveBlock(out);
  let done = 0;
  let toldMs = Date.now();
  return () => {
    done += 1;
    const line = `  ${formatCount(done)} of ${formatQuantity(files, 'file')}`;
    if (out.isTTY === true) return block.draw([line]);
    if (Date.now() - toldMs < PLAIN_INTERVAL_MS) return;
    toldMs = Date.now();
    out.write(`${line}\n`);
  };
}
