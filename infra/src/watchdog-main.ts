// Waits for the supervisor to die and then stops what it left running. See watchdog.ts.
import { rmSync } from 'node:fs';
import { runningRecords, stopRecorded } from './pid-record.ts';
import type { WatchdogSettings } from './watchdog.ts';

const settings = JSON.parse(process.env.BACKFILL_WATCHDOG ?? '') as WatchdogSettings;

process.once('SIGTERM', () => process.exit(0));
process.once('disconnect', () => {
  void cleanUp();
});

async function cleanUp(): Promise<void> {
  // The env file speaks of a stack that is up.
  rmSync(settings.envFile, { force: true });
  // Read once and never written: a new supervisor may be at work on the records already.
  await stopRecorded(runningRecords(settings.runDir));
  if (settings.remove !== undefined) rmSync(settings.remove, { recursive: true, force: true });
}
