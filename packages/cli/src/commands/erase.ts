import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { type ErasureView, erasureSchema } from '@backfill/core/client/erasure-view';
import { formatErasure } from '@backfill/core/text/format-erasure';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { CliError } from '../cli-error.ts';
import { helpExamples } from '../help-examples.ts';
import { parseCount } from '../parse-count.ts';
import { openSession, type Session } from '../session.ts';

const LOOK_EVERY_MS = 500;

/** `backfill erase` */
export function addErase(program: Command, context: CliContext): void {
  program
    .command('erase')
    .summary('forget a person')
    .description(
      'Forgets a person: suppressed at once, then erased from staged and stored events, raw mirrors, transformed parts, snapshots, report samples and all records, under every pseudonym. Shows the receipts. The id is not stored anywhere, but other users of this machine can see what stands on a command line: --subject - reads it from standard input. Exit code 1 if something was left.',
    )
    .option('--subject <id>', "the person's id as the raw logs have it; - reads it from standard input")
    .option('--id <number>', 'look at an erasure that was asked for', parseCount)
    .option('--no-wait', 'do not wait for the end')
    .addHelpText('after', helpExamples('erase --subject - < id.txt', 'erase --id 7 --json'))
    .action(async (options: { subject?: string; id?: number; wait: boolean }, command: Command) => {
      if ((options.subject === undefined) === (options.id === undefined)) {
        command.error('error: give either --subject or --id');
      }
      const session = openSession(context, command, 'data_privacy_officer');
      const asked =
        options.subject === undefined
          ? await look(session, options.id ?? 0)
          : await ask(session, await readSubject(context, options.subject));
      const seen = options.wait ? await waitForEnd(session, asked) : asked;
      if (session.json) session.printJson(seen);
      else session.print(formatErasure(seen));
      if (seen.state === 'incomplete') throw new CliError('Something was left.');
    });
}

/** The id, without the line end that a file or an echo adds. */
async function readSubject({ stdin }: CliContext, given: string): Promise<string> {
  return given === '-' && stdin !== undefined ? (await text(stdin)).replace(/\r?\n$/, '') : given;
}

async function ask(session: Session, subject: string): Promise<ErasureView> {
  const { body } = await session.client.post('/v1/erasures', { subject });
  return erasureSchema.parse(body);
}

async function look(session: Session, id: number): Promise<ErasureView> {
  const { body } = await session.client.get(`/v1/erasures/${id}`);
  return erasureSchema.parse(body);
}

/** Looks until the erasure has ended; it goes on without whoever looks. */
async function waitForEnd(session: Session, asked: ErasureView): Promise<ErasureView> {
  const { signal, stderr } = session.context;
  let seen = asked;
  let told = '';
  while (seen.ended_at === null) {
    const waiting = seen.waiting_for.join(', ');
    if (waiting !== told && waiting !== '') stderr.write(`Waits until these batches rest: ${waiting}\n`);
    told = waiting;
    await pause(LOOK_EVERY_MS, undefined, { signal });
    seen = await look(session, seen.erasure_id);
  }
  return seen;
}
