import { compileRecipe } from '../recipe/compile-recipe.ts';
import type { KeyRing } from '../recipe/key-ring.ts';
import type { TransformedEvent } from '../recipe/line-outcome.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { recordsAlsoLive } from './app-log.ts';
import type { AppRecord } from './app-session.ts';
import { type AppWorldOptions, appRecordsOfHour, DAY_MS, HOUR_MS, lostWindow } from './app-world.ts';

export interface LiveEventOptions extends AppWorldOptions {
  /** Days of live events before the lost window, and as many after it. */
  daysAround: number;
  /** A recipe of the app's source; its window and cut-off do not matter here. */
  recipe: Recipe;
  keys: KeyRing;
}

/**
 * What live ingestion of the same app stored: everything around the lost window, and the few
 * records inside it that the raw log counts as `alsoLive`. Made by the same recipe as a
 * backfill, so the same record has the same id. In the order of the files, then of time.
 */
export function* generateLiveEvents(options: LiveEventOptions): Generator<TransformedEvent> {
  const { startMs, endMs } = lostWindow(options);
  const fromMs = startMs - options.daysAround * DAY_MS;
  const toMs = endMs + options.daysAround * DAY_MS;
  const recipe: Recipe = {
    ...options.recipe,
    window: { startMs: fromMs, endMs: toMs },
    retentionCutoffMs: null,
  };
  const transform = compileRecipe(recipe, { keys: options.keys, isSuppressed: () => false });
  for (const record of recordsAround(options, fromMs, toMs)) {
    const bytes = Buffer.from(JSON.stringify(record.raw));
    const result = transform({ lineNo: 1, bytes, byteLength: bytes.length + 1 });
    if (result.outcome === 'accepted') yield result.event;
  }
}

function* recordsAround(options: LiveEventOptions, fromMs: number, toMs: number): Generator<AppRecord> {
  const { startMs, endMs } = lostWindow(options);
  for (let hourMs = fromMs; hourMs < toMs; hourMs += HOUR_MS) {
    for (const record of appRecordsOfHour(options, hourMs)) {
      if (record.timeMs < startMs || record.timeMs >= endMs) yield record;
    }
  }
  yield* recordsAlsoLive(options);
}
