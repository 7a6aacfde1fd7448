import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';
import { createApiBatches } from '../support/api-batches.ts';
import { DESKTOP, overflowOf, startBrowser } from './browser.ts';

// The API's own pages in a real browser, under the policy that the API sends with them.
let api: TestApi;
let browser: Browser;
let pictures: string;

beforeAll(async () => {
  pictures = await mkdtemp(path.join(tmpdir(), 'backfill-pages-'));
  process.stderr.write(`screenshots: ${pictures}\n`);
  browser = await startBrowser();
  api = await startApi();
  await createApiBatches(api).submit('lost-day');
});
afterAll(async () => {
  await browser?.close();
  await api?.dispose();
});

/** A page of a person who gives their token as a password where the browser asks for one. */
async function open(token: string | undefined) {
  const { width, height } = DESKTOP;
  const context = await browser.newContext({
    viewport: { width, height },
    ...(token !== undefined && { httpCredentials: { username: 'me', password: token } }),
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  const elsewhere: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${api.url}/`) && !url.startsWith('data:')) elsewhere.push(url);
  });
  const shoot = (name: string) => page.screenshot({ path: path.join(pictures, `${name}.png`), fullPage: true });
  return { context, page, complaints, elsewhere, shoot };
}

it('shows the API at /docs, where it can be tried with a token', async () => {
  const { context, page, complaints, elsewhere, shoot } = await open(undefined);
  await page.goto(`${api.url}/docs`);
  await page.getByText('List batches, newest first').waitFor();
  await shoot('docs');
  await page.locator('button.authorize').first().click();
  await page.locator('.auth-container input').fill('viewer');
  await page.locator('.auth-btn-wrapper button.authorize').click();
  await page.locator('.auth-btn-wrapper .btn-done').click();
  await page.getByText('List batches, newest first').click();
  await page.locator('.try-out__btn').click();
  await page.locator('button.execute').click();
  const answer = page.locator('.live-responses-table .response');
  await answer.waitFor();
  await shoot('docs-tried');
  expect(await answer.textContent()).toContain('lost-day');
  expect({ complaints, elsewhere, overflow: await overflowOf(page) }).toEqual({
    complaints: [],
    elsewhere: [],
    overflow: 0,
  });
  await context.close();
});

it('shows the queues to an operator, and nothing to press', async () => {
  const { context, page, complaints, elsewhere, shoot } = await open('operator');
  await page.goto(`${api.url}/queues`);
  await page.getByText('raw-chunks').first().waitFor();
  await shoot('queues');
  await page.goto(`${api.url}/queues/queue/raw-chunks`);
  await page.getByText('plan_1_1').first().waitFor();
  await shoot('queue');
  const buttons = await page
    .getByRole('button', { name: /retry|promote|remove|delete|clean|pause|add|duplicate|obliterate|empty/i })
    .all();
  expect(await Promise.all(buttons.map((button) => button.textContent()))).toEqual([]);
  expect({ complaints, elsewhere, overflow: await overflowOf(page) }).toEqual({
    complaints: [],
    elsewhere: [],
    overflow: 0,
  });
  await context.close();
});

it('shows the queues to nobody else', async () => {
  for (const token of ['viewer', 'forged']) {
    const { context, page } = await open(token);
    expect((await page.goto(`${api.url}/queues`))?.status()).toBe(token === 'viewer' ? 403 : 401);
    await context.close();
  }
});
