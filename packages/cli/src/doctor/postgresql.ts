import { connectionBudget } from '@backfill/core/config/connection-budget';
import type { ServiceConfig } from '@backfill/core/config/environment';
import { listOtherPrepared } from '@backfill/core/db/queries/prepared-keys';
import { getServerSettings, type ServerSettings } from '@backfill/core/db/queries/server-settings';
import type { Finding } from '@backfill/core/domain/finding';
import type { Check } from './check.ts';

const OTHERS_PREPARED_SECONDS = 60;
/** Share of the connections in use from which on the next process may get none. */
const NEARLY_ALL = 0.9;

/** A setting that has to have a value, and what happens with another one. */
interface Rule {
  setting:
    | 'encoding'
    | 'fsync'
    | 'full_page_writes'
    | 'synchronous_commit'
    | 'autovacuum'
    | 'session_replication_role'
    | 'statement_timeout'
    | 'transaction_timeout';
  isGood(value: string): boolean;
  harm: string;
  remedy: string;
}

const inConf = (line: string): string => `write ${line} into its postgresql.conf and reload it`;
const isOn = (value: string): boolean => value === 'on';
const isZero = (value: string): boolean => value === '0';
const LOST_COMMITS = 'what people have signed and what was imported may be gone after a power cut';

const RULES: readonly Rule[] = [
  {
    setting: 'encoding',
    isGood: (value) => value === 'UTF8',
    harm: 'so that events in other scripts cannot be stored',
    remedy: "make the database anew: create database … template template0 encoding 'UTF8'",
  },
  {
    setting: 'fsync',
    isGood: isOn,
    harm: 'so that a power cut can destroy the database',
    remedy: inConf('fsync = on'),
  },
  {
    setting: 'full_page_writes',
    isGood: isOn,
    harm: 'so that a power cut can destroy pages',
    remedy: inConf('full_page_writes = on'),
  },
  {
    setting: 'synchronous_commit',
    isGood: (value) => value !== 'off',
    harm: `so that ${LOST_COMMITS}`,
    remedy: 'set synchronous_commit = on for the server, the database and the role',
  },
  {
    setting: 'autovacuum',
    isGood: isOn,
    harm: 'so that tables grow and plans get worse with each batch',
    remedy: inConf('autovacuum = on'),
  },
  {
    setting: 'session_replication_role',
    isGood: (value) => value === 'origin',
    harm: 'so that the triggers that guard statuses and the audit log do not fire',
    remedy: 'reset session_replication_role for the database and the role (alter database …, alter role … reset)',
  },
  {
    setting: 'statement_timeout',
    isGood: isZero,
    harm: 'which cuts off imports, gates and publishes that take longer, again and again',
    remedy: 'reset it for the database and the role: the services set the time limits that they need themselves',
  },
  {
    setting: 'transaction_timeout',
    isGood: isZero,
    harm: 'which ends the connection of an import, gate or publish that takes longer',
    remedy: 'reset it for the database and the role: the services set the time limits that they need themselves',
  },
];

function settingFindings(subject: string, settings: ServerSettings): Finding[] {
  const wrong = RULES.filter(({ setting, isGood }) => !isGood(settings[setting])).map(({ setting, harm, remedy }) => ({
    subject,
    problem: `${setting === 'encoding' ? 'its encoding' : setting} is ${settings[setting]}, ${harm}`,
    remedy,
  }));
  if (!settings.is_read_only) return wrong;
  const remedy = 'point it to the primary, and reset default_transaction_read_only for the database and the role';
  return [...wrong, { subject, problem: 'it can only be read: it is a standby, or set to be read-only', remedy }];
}

/** Whether there are enough connections for the services, and any left. Pure. */
export function connectionFindings(
  settings: Pick<ServerSettings, 'max_connections' | 'reserved_connections' | 'sessions'>,
  services: readonly Pick<ServiceConfig, 'service' | 'concurrency'>[],
): Finding[] {
  const room = settings.max_connections - settings.reserved_connections;
  const budget = services.reduce((sum, config) => sum + connectionBudget(config), 0);
  const remedy = `raise max_connections in its postgresql.conf and restart it, or lower <SERVICE>_CONCURRENCY`;
  if (room < budget) {
    const problem = `it has room for ${room} connections, and one process of each service may take ${budget}`;
    return [{ subject: 'DATABASE_URL', problem, remedy }];
  }
  if (settings.sessions < room * NEARLY_ALL) return [];
  const problem = `${settings.sessions} of its ${room} connections are taken`;
  return [{ subject: 'DATABASE_URL', problem, remedy }];
}

/** Transactions that others have prepared and left. Pure. */
export function preparedFindings(subject: string, gids: readonly string[]): Finding[] {
  return gids.map((gid) => ({
    subject,
    problem: `somebody prepared the transaction ${JSON.stringify(gid)} more than a minute ago, which holds its locks and keeps vacuum from cleaning up`,
    remedy: "ask whoever uses that name, then end it in psql: commit prepared '…' or rollback prepared '…'",
  }));
}

/** Settings of the server and database that this software depends on; time zones do not matter to it. */
export const postgresql: Check = {
  name: 'PostgreSQL',
  needs: ['database'],
  async find({ pool, keyStore, services }) {
    const settings = await getServerSettings(pool);
    const events = [
      ...settingFindings('DATABASE_URL', settings),
      ...connectionFindings(settings, services),
      ...preparedFindings('DATABASE_URL', await listOtherPrepared(pool, OTHERS_PREPARED_SECONDS)),
    ];
    if (!keyStore.isSeparate) return events;
    const subject = 'CHECKPOINT_DATABASE_URL';
    return [
      ...events,
      ...settingFindings(subject, await getServerSettings(keyStore.pool)),
      ...preparedFindings(subject, await listOtherPrepared(keyStore.pool, OTHERS_PREPARED_SECONDS)),
    ];
  },
};
