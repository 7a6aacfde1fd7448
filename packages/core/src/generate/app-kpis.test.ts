import { expect, it } from 'vitest';
import { appReferences } from './app-kpis.ts';
import { lostWindow } from './app-world.ts';

const OPTIONS = { seed: 'kpis', day: '2026-11-04', windowHours: 24, sessionsPerDay: 500 };

it('counts each local day that the window touches, and the window alone where nothing else is stored', () => {
  const whole = appReferences(OPTIONS, 'Europe/Berlin');
  expect(whole.map(({ kpi, day }) => `${kpi} ${day}`)).toEqual([
    'daily_active_sessions 2026-11-04',
    'activation_funnel 2026-11-04',
    'daily_active_sessions 2026-11-05',
    'activation_funnel 2026-11-05',
  ]);
  const figure = (references: typeof whole, index: number) => references[index]?.value ?? Number.NaN;
  expect(figure(whole, 0)).toBeGreaterThan(400);
  expect(figure(whole, 2)).toBeGreaterThan(400);
  expect(figure(whole, 1)).toBeGreaterThan(0.5);
  expect(figure(whole, 1)).toBeLessThanOrEqual(1);
  const alone = appReferences(OPTIONS, 'Europe/Berlin', lostWindow(OPTIONS));
  expect(figure(alone, 0)).toBeLessThanOrEqual(figure(whole, 0));
  expect(alone.find(({ day }) => day === '2026-11-05')?.value).toBeLessThan(20);
});
