import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

/** A page as it was opened, with all that it should not have done. */
export interface OpenPage {
  page: Page;
  /** Of its console, and errors of its own. */
  complaints: string[];
  /** Addresses that were asked for besides its own. */
  requests: string[];
  close(): Promise<void>;
}

export interface Look {
  width: number;
  height: number;
  colorScheme: 'light' | 'dark';
}

export const DESKTOP: Look = { width: 1_280, height: 900, colorScheme: 'light' };
export const PHONE: Look = { width: 360, height: 740, colorScheme: 'light' };

/** Starts the Chromium that the set-up has found; its sandbox needs another user than root. */
export function startBrowser(): Promise<Browser> {
  const executablePath = process.env.BACKFILL_CHROMIUM;
  if (executablePath === undefined) throw new Error('BACKFILL_CHROMIUM names no browser: use npm run test:ui');
  return chromium.launch({ executablePath, chromiumSandbox: process.getuid?.() !== 0 });
}

/** Opens an address with a token, as a person with a browser would. */
export async function openPage(browser: Browser, url: string, token: string, look: Look): Promise<OpenPage> {
  const { colorScheme, ...viewport } = look;
  const context: BrowserContext = await browser.newContext({
    ...{ viewport, colorScheme, deviceScaleFactor: 1 },
    extraHTTPHeaders: { authorization: `Bearer ${token}` },
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (request.url() !== url) requests.push(request.url());
  });
  const answer = await page.goto(url);
  if (answer?.status() !== 200) throw new Error(`${url} answered ${answer?.status()}`);
  return { page, complaints, requests, close: () => context.close() };
}

/** By how many pixels the page is wider than the screen. */
export function overflowOf(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}

/** What is wrong with the page for who does not see it: pictures, headings, tables, names of ids, contrast of texts. */
export function accessProblems(page: Page): Promise<string[]> {
  return page.evaluate(FIND_PROBLEMS);
}

/** Runs in the page. Contrast by WCAG 2: 4.5 for texts, 3 for large ones, against the ground that is painted behind. */
const FIND_PROBLEMS = `(() => {
  const problems = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  if (document.documentElement.lang === '') problems.push('no language');
  if (document.title === '') problems.push('no title');
  if (all('main').length !== 1) problems.push('not one main');
  if (all('h1').length !== 1) problems.push('not one h1');
  let level = 0;
  for (const heading of all('h1,h2,h3,h4')) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1) problems.push('a heading skips a level: ' + heading.textContent);
    if (heading.textContent.trim() === '') problems.push('an empty heading');
    level = next;
  }
  for (const svg of all('svg')) if (svg.getAttribute('aria-hidden') !== 'true' && !svg.querySelector('title')) problems.push('a picture without text');
  for (const figure of all('figure')) if (figure.querySelector('figcaption').textContent.trim() === '') problems.push('a figure without caption');
  for (const table of all('table')) if (!table.querySelector('caption') || !table.querySelector('th[scope]')) problems.push('a table without caption or headers');
  const ids = all('[id]').map(({ id }) => id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) problems.push('an id twice: ' + id);
  for (const link of all('a[href^="#"]')) if (!document.getElementById(link.getAttribute('href').slice(1))) problems.push('a link to nowhere');
  for (const section of all('[aria-labelledby]')) if (!document.getElementById(section.getAttribute('aria-labelledby'))) problems.push('a section without name');

  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const over = ([r, g, b, a = 1], under) => [r, g, b].map((value, at) => value * a + under[at] * (1 - a));
  const luminance = (rgb) => rgb.map((value) => value / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const groundOf = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
  };
  const seen = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (node.textContent.trim() === '' || seen.has(element) || !element.checkVisibility() || element.closest('.masked,.hidden,style,.skip')) continue;
    seen.add(element);
    const style = getComputedStyle(element);
    const isDrawn = element.closest('svg') !== null;
    const ground = groundOf(isDrawn ? element.closest('figure') : element);
    const [one, other] = [luminance(over(parse(isDrawn ? style.fill : style.color), ground)), luminance(ground)].sort((a, b) => b - a);
    const contrast = (one + 0.05) / (other + 0.05);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 600) ? 3 : 4.5;
    if (contrast < needed) problems.push('contrast ' + contrast.toFixed(2) + ' of "' + node.textContent.trim().slice(0, 40) + '"');
  }
  return [...new Set(problems)];
})()`;
