import { createOccurrenceTables } from '../db/queries/occurrences.ts';
import { forbidWrites } from '../db/queries/session-forbid-writes.ts';
import { listSuppressedSubjects } from '../db/queries/suppression-list.ts';
import type { TransformedEvent } from '../recipe/line-outcome.ts';
import { compilePinnedRecipe } from './compile-pinned-recipe.ts';
import type { EventOrigin } from './event-line.ts';
import { planRawInput, type RawInput } from './plan-raw-input.ts';
import { perFile, transformAll } from './transform-all.ts';
import { TransformCounts, type TransformSummary } from './transform-counts.ts';
import type { TransformTools } from './transform-work.ts';

/** Takes events, in the order of files and lines. */
export interface EventSink {
  add(event: TransformedEvent, origin: EventOrigin): void;
  flush(): Promise<void>;
}

/** Transforms raw input that need not be a batch, as a batch of it would be now. Stores nothing. */
export async function transformInput(tools: TransformTools, raw: RawInput, sink: EventSink): Promise<TransformSummary> {
  await createOccurrenceTables(tools.db);
  await forbidWrites(tools.db);
  const work = await planRawInput(tools, raw, '');
  const suppressed = new Set(await listSuppressedSubjects(tools.db));
  const counts = new TransformCounts();
  const runtime = {
    keys: tools.keys,
    observer: counts.pii,
    isSuppressed: (subjectId: string) => suppressed.has(subjectId),
  };
  await transformAll(
    work,
    perFile((chunk) => compilePinnedRecipe(work.recipe, runtime, chunk)),
    {
      add({ source_file: sourceFile }, { lineNo }, outcome) {
        counts.add(sourceFile, lineNo, outcome);
        if (outcome.outcome === 'accepted') sink.add(outcome.event, { source: raw.source, sourceFile, lineNo });
      },
      flush: () => sink.flush(),
    },
    tools.signal,
  );
  return counts.summary();
}
