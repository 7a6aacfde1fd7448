import { hash, randomBytes } from 'node:crypto';
import type { Pool } from '@backfill/core/db/pool';
import {
  type ApiTokenRow,
  expireApiToken,
  insertApiToken,
  listApiTokens,
  revokeApiToken,
} from '@backfill/core/db/queries/api-token-manage';
import { ROLES } from '@backfill/core/domain/approvals';
import { BackfillError, describeError } from '@backfill/core/errors';
import { formatTokens } from '@backfill/core/text/format-tokens';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { CliError } from '../cli-error.ts';
import { helpExamples } from '../help-examples.ts';
import { parseCount } from '../parse-count.ts';
import type { GlobalOptions } from '../session.ts';
import { readSettings } from '../settings.ts';
import { withKeyStore } from '../tool-pools.ts';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 90;
/** No address of a mailbox: the name stays in the audit log, which can never forget. */
const ACTOR = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const TOKEN_BYTES = 32;

/** `backfill token` */
export function addToken(program: Command, context: CliContext): void {
  const token = program
    .command('token')
    .summary('make, list, expire and revoke tokens of the API')
    .description(
      'Makes, lists, expires and revokes tokens of the API, in the database of DATABASE_URL: whoever can write there may do it. Only hashes are stored, so that a token is shown once, when it is made. Each change is in the audit log.',
    )
    .addHelpText(
      'after',
      helpExamples('token create --actor night-shift --role operator', 'token list', 'token revoke 7'),
    );
  addCreate(token, context);
  addList(token, context);
  addExpire(token, context);
  addRevoke(token, context);
}

function addCreate(parent: Command, context: CliContext): void {
  parent
    .command('create')
    .summary('make a token')
    .description('Makes a token and prints it, this once. Hand it over on a safe way; it cannot be shown again.')
    .requiredOption('--actor <name>', 'whom it is for: what the audit log and approvals will say', parseActor)
    .addOption(
      new Option('--role <role...>', 'what it may do; every token may read').choices(ROLES).makeOptionMandatory(),
    )
    .option('--days <number>', 'how long it is valid', parseCount, DEFAULT_DAYS)
    .addHelpText(
      'after',
      helpExamples(
        'token create --actor night-shift --role operator --days 30',
        'token create --actor ci --role submitter viewer --json',
      ),
    )
    .action(async (options: { actor: string; role: string[]; days: number }, command: Command) => {
      const secret = `bf_${randomBytes(TOKEN_BYTES).toString('base64url')}`;
      const row = await withTokens(context, command, (pool) =>
        insertApiToken(pool, {
          sha256: hash('sha256', secret, 'hex'),
          actor: options.actor,
          roles: [...new Set(options.role)],
          expiresAt: new Date(Date.now() + options.days * DAY_MS),
        }),
      );
      if (command.optsWithGlobals<GlobalOptions>().json) return printJson(context, { ...row, token: secret });
      context.stderr.write(`${formatTokens([row]).join('\n')}\nThe token, shown this once:\n`);
      context.stdout.write(`${secret}\n`);
    });
}

function addList(parent: Command, context: CliContext): void {
  parent
    .command('list')
    .summary('show what tokens there are')
    .description('Shows what tokens there are, with their actors and roles, and whether they are valid.')
    .addHelpText('after', helpExamples('token list', 'token list --json'))
    .action(async (_options: unknown, command: Command) => {
      const tokens = await withTokens(context, command, listApiTokens);
      if (command.optsWithGlobals<GlobalOptions>().json) printJson(context, { tokens });
      else context.stdout.write(`${formatTokens(tokens).join('\n')}\n`);
    });
}

function addExpire(parent: Command, context: CliContext): void {
  parent
    .command('expire')
    .summary('have a token end at a time')
    .description('Sets when a token ends: earlier, or later.')
    .argument('<id>', 'the number that token list shows', parseCount)
    .requiredOption('--at <time>', 'when: 2026-12-01T00:00:00Z', parseTime)
    .addHelpText('after', helpExamples('token expire 7 --at 2026-12-01T00:00:00Z'))
    .action((id: number, { at }: { at: Date }, command: Command) =>
      change(context, command, id, (pool) => expireApiToken(pool, id, at)),
    );
}

function addRevoke(parent: Command, context: CliContext): void {
  parent
    .command('revoke')
    .summary('end a token now, for good')
    .description('Ends a token now, for good: the next request with it is refused.')
    .argument('<id>', 'the number that token list shows', parseCount)
    .addHelpText('after', helpExamples('token revoke 7'))
    .action((id: number, _options: unknown, command: Command) =>
      change(context, command, id, (pool) => revokeApiToken(pool, id)),
    );
}

async function change(
  context: CliContext,
  command: Command,
  id: number,
  work: (pool: Pool) => Promise<ApiTokenRow | undefined>,
): Promise<void> {
  const row = await withTokens(context, command, work);
  if (row === undefined)
    throw new CliError(`There is no token ${id}.`, ['./backfill token list shows those there are.']);
  if (command.optsWithGlobals<GlobalOptions>().json) printJson(context, row);
  else context.stdout.write(`${formatTokens([row]).join('\n')}\n`);
}

async function withTokens<T>(context: CliContext, command: Command, work: (pool: Pool) => Promise<T>): Promise<T> {
  const { stateDir } = command.optsWithGlobals<GlobalOptions>();
  const databaseUrl = readSettings(context.env, stateDir).databaseUrl();
  try {
    return await withKeyStore({ databaseUrl, checkpointDatabaseUrl: undefined }, work);
  } catch (error) {
    if (error instanceof BackfillError || error instanceof CliError) throw error;
    throw new CliError(
      `The database cannot be worked with (${describeError(error)}).`,
      ['Start it (npm start), or point DATABASE_URL to where it is. The services bring its schema up to date.'],
      { cause: error },
    );
  }
}

function printJson(context: CliContext, data: unknown): void {
  context.stdout.write(`${JSON.stringify(data, null, 2)}\n`);
}

function parseActor(text: string): string {
  if (ACTOR.test(text)) return text;
  throw new InvalidArgumentError('It takes letters, digits, dots, hyphens and underscores, at most 63.');
}

function parseTime(text: string): Date {
  const at = new Date(text);
  if (/^\d{4}-\d\d-\d\dT[\d:.]{5,15}(?:Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(at.getTime())) return at;
  throw new InvalidArgumentError('It is not a time with an offset, such as 2026-12-01T00:00:00Z.');
}
