import { eventTraceSchema } from '@backfill/core/client/event-trace';
import { formatTrace } from '@backfill/core/text/format-trace';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { helpExamples } from '../help-examples.ts';
import { openSession } from '../session.ts';

/** `backfill trace EVENT_ID` */
export function addTrace(program: Command, context: CliContext): void {
  program
    .command('trace')
    .summary('tell where an event came from')
    .description('Tells the files and lines that an event came from, who owns it, and its state.')
    .argument('<event_id>', 'the event id, in single quotes: it holds a backslash')
    .addHelpText('after', helpExamples("trace 'app:20260801120000000:\\x3f79bb7b…'"))
    .action(async (eventId: string, _options: unknown, command: Command) => {
      const session = openSession(context, command, 'viewer');
      const { body } = await session.client.get(`/v1/events/${encodeURIComponent(eventId)}`);
      if (session.json) session.printJson(body);
      else session.print(formatTrace(eventTraceSchema.parse(body)));
    });
}
