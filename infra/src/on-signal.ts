/** One Ctrl-C arrives several times, from the terminal and from npm: these count as one. */
const SAME_SIGNAL_MS = 1_000;

/** Calls `first` at the first SIGINT, SIGTERM or SIGHUP, and `again` at a later one. */
export function onSignal(first: () => void, again: () => void): void {
  let at: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (at === undefined) first();
      else if (Date.now() - at > SAME_SIGNAL_MS) again();
      at ??= Date.now();
    });
  }
}
