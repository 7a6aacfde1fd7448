/** The day of the events. */
export const WINDOW = { start: '2026-11-01T00:00:00Z', end: '2026-11-02T00:00:00Z' };

/** The raw line of an event of the source `app`; the same number gives the same event. */
export function eventLine(number: number): string {
  return JSON.stringify({
    id: `r${number}`,
    name: 'Page Viewed',
    ts: `2026-11-01T${String(number % 24).padStart(2, '0')}:00:00.000Z`,
    session: { id: 's1' },
    user: { id: 'u1' },
    data: { path: `https://app.example.com/page/${number}` },
  });
}
