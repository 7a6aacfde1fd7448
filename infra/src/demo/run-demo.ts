import { loadConfigDir } from '@backfill/core/config/load-config';
import { withTransaction } from '@backfill/core/db/transaction';
import { appReferences } from '@backfill/core/generate/app-kpis';
import { formatCount, formatMeasure, formatQuantity } from '@backfill/core/text/format-number';
import { checkBatch } from './check-batch.ts';
import type { DemoContext } from './demo-context.ts';
import { DemoError } from './demo-error.ts';
import { type DemoRun, nextDemoRun } from './demo-run.ts';
import { countEvents, formatEventCounts } from './event-counts.ts';
import { playLiveIngestion } from './live-ingestion.ts';
import { findPersonalData } from './personal-data-search.ts';
import { appWorld, type UploadedLogs, uploadAccessLog, uploadAppLogs } from './raw-logs.ts';
import { publishBatches, runBatches, submitBatches } from './run-batches.ts';

/**
 * The main job from end to end on a running stack: a lost day of a made-up app and its web server
 * is replayed through the API and published.
 *
 * @throws {DemoError} when anything comes out otherwise than planted.
 */
export async function runDemo(context: DemoContext): Promise<DemoRun> {
  const { say } = context;
  const run = nextDemoRun(await listDemoBatches(context), Date.now());
  say('', `Demo ${run.number}: the app lost its events of ${run.day} (UTC); the raw logs are there.`, '');
  const [appLogs, webLogs] = await plantDay(context, run);
  const before = await countEvents(context.pool, run);

  const { policy } = await loadConfigDir(context.configDir);
  const references = appReferences(appWorld(run), policy.kpi.time_zone);
  say('', 'What the app itself has counted, to hold its KPIs against:');
  say(...references.map(({ kpi, day, value }) => `  ${day}  ${kpi}  ${formatMeasure(value)}`));

  say('', 'Plan: every object is pinned by its sha256, nothing is copied yet.');
  const planned = await submitBatches(context, run, [
    { batchId: run.appBatch, source: 'app', input: appLogs.input, references },
    { batchId: run.webBatch, source: 'web-access', input: webLogs.input, references: [] },
  ]);
  say('', 'Run approvals, bound to the plan hashes; then mirror, transform, import and verify.');
  const measured = await runBatches(context, planned);
  for (const [batch, logs] of [
    [measured[0], appLogs],
    [measured[1], webLogs],
  ] as const) {
    if (batch !== undefined) await checkBatch(context, batch, logs);
  }
  say('', 'Publish approvals, bound to what was measured; then publish.');
  await publishBatches(context, measured);

  await proveNoPersonalData(context, run, [appLogs, webLogs]);
  const after = await countEvents(context.pool, run);
  say('', 'What readers of analytics.events see:');
  say(...formatEventCounts(run, before, after).map((line) => `  ${line}`));
  return run;
}

/** Uploads the raw logs, and stores what live ingestion has around them. */
async function plantDay(context: DemoContext, run: DemoRun): Promise<[UploadedLogs, UploadedLogs]> {
  const { say, store, rawBucket } = context;
  const appLogs = await uploadAppLogs(run, store, rawBucket);
  const webLogs = await uploadAccessLog(run, store, rawBucket);
  for (const { input, files, planted } of [appLogs, webLogs]) {
    say(`  ${input}  ${formatQuantity(planted.lines, 'line')} in ${formatQuantity(files, 'file')}`);
  }
  const { emails, ips } = appLogs.planted.personal;
  say(`  planted in them: ${formatCount(emails)} e-mail and ${formatCount(ips)} IP addresses,`);
  say('  repeats, malformed lines, lines of other days, and a person who has objected');
  // One transaction, so that a run that is broken off here leaves nothing behind.
  const stored = await withTransaction(context.pool, 'demo-live-writer', (client) =>
    playLiveIngestion(run, client, context),
  );
  const inside = formatCount(appLogs.planted.alsoLive);
  say(`  live ingestion has ${formatCount(stored)} events of the days around it, ${inside} of the lost day`);
  context.signal.throwIfAborted();
  return [appLogs, webLogs];
}

async function proveNoPersonalData(context: DemoContext, run: DemoRun, logs: readonly UploadedLogs[]): Promise<void> {
  const identifiers = new Set(logs.flatMap((log) => [...log.identifiers]));
  const client = await context.pool.connect();
  try {
    const found = await findPersonalData(client, [run.appBatch, run.webBatch], identifiers);
    if (found.length > 0) {
      const places = found.map(({ relation, rows }) => `  ${formatQuantity(rows, 'row')} of ${relation}`);
      throw new DemoError(['Planted addresses got into PostgreSQL:', ...places].join('\n'));
    }
  } finally {
    client.release();
  }
  context.say('', `None of the ${formatCount(identifiers.size)} planted addresses is in any table of analytics.`);
}

async function listDemoBatches(context: DemoContext): Promise<string[]> {
  const { rows } = await context.pool.query<{ batch_id: string }>(
    "select batch_id from analytics.backfill_batches where batch_id ~ '^demo-(app|web)-'",
  );
  return rows.map(({ batch_id }) => batch_id);
}
