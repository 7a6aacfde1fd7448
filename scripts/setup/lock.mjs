// One set-up at a time in one checkout: two installs into one node_modules would break it.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError, say } from './shell.mjs';

const POLL_MS = 500;
const GIVE_UP_MS = 20 * 60_000;

/**
 * Runs `work` while holding the lock file, waiting for another set-up to finish first.
 * A lock whose process is gone is taken over. Throws SetupError after twenty minutes of waiting.
 */
export async function withLock(file, work) {
  try {
    mkdirSync(path.dirname(file), { recursive: true });
  } catch (error) {
    throw new SetupError(`cannot write in ${path.dirname(path.dirname(file))}: ${error.message}`);
  }
  const deadline = Date.now() + GIVE_UP_MS;
  let announced = false;
  while (!tryLock(file)) {
    const holder = readHolder(file);
    if (holder !== undefined && !isAlive(holder)) {
      takeAway(file, holder);
      continue;
    }
    if (Date.now() > deadline) throw new SetupError(`gave up waiting for the lock ${file}`);
    if (!announced && holder !== undefined) {
      say(`waiting for another set-up in this checkout (pid ${holder})`);
      announced = true;
    }
    await sleep(POLL_MS);
  }
  try {
    return await work();
  } finally {
    if (readHolder(file) === process.pid) rmSync(file, { force: true });
  }
}

function tryLock(file) {
  try {
    writeFileSync(file, `${process.pid}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw new SetupError(`something must be installed, and the set-up cannot write here: ${error.message}`);
  }
}

function readHolder(file) {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Moves a dead lock aside before deleting it, so that a lock taken meanwhile is not deleted. */
function takeAway(file, holder) {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  if (readHolder(aside) !== holder) renameSync(aside, file);
  else rmSync(aside, { force: true });
}
