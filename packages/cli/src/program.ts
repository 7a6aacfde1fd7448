import { ROLES } from '@backfill/core/domain/approvals';
import { Command, Option } from 'commander';
import type { CliContext } from './cli-context.ts';
import { addApprove } from './commands/approve.ts';
import { addCompletion } from './commands/completion.ts';
import { addDoctor } from './commands/doctor.ts';
import { addErase } from './commands/erase.ts';
import { addEscalate } from './commands/escalate.ts';
import { addGenerate } from './commands/generate.ts';
import { addHalt } from './commands/halt.ts';
import { addImport } from './commands/import.ts';
import { addIncident } from './commands/incident.ts';
import { addInit } from './commands/init.ts';
import { addList } from './commands/list.ts';
import { addPublish } from './commands/publish.ts';
import { addRehearsal } from './commands/rehearsal.ts';
import { addReport } from './commands/report.ts';
import { addResume } from './commands/resume.ts';
import { addRetention } from './commands/retention.ts';
import { addRollback } from './commands/rollback.ts';
import { addRun } from './commands/run.ts';
import { addStatus } from './commands/status.ts';
import { addSubmit } from './commands/submit.ts';
import { addTaxonomy } from './commands/taxonomy.ts';
import { addToken } from './commands/token.ts';
import { addTrace } from './commands/trace.ts';
import { addTransform } from './commands/transform.ts';
import { addUp } from './commands/up.ts';
import { addVerify } from './commands/verify.ts';

const HELP_END = `
Examples:
  ./backfill run ./my-logs --source app --start 2026-08-01T00:00:00Z --end 2026-08-02T00:00:00Z
  ./backfill status my-batch --watch
  ./backfill help run

Addresses and tokens come from the environment (BACKFILL_API_URL, BACKFILL_TOKEN, …), else from the
stack that runs here (npm start). Exit code: 0 done, 1 failed, 2 wrong usage.`;

/** The whole command line. Errors and help are thrown as CommanderError, for main.ts. */
export function createProgram(context: CliContext): Command {
  const program = new Command('./backfill')
    .description('Replays lost or wrong analytics events from raw logs, and takes them back.')
    .addOption(new Option('--as <role>', 'act with the token of this role').choices(ROLES))
    .option('--json', 'print data as JSON')
    .option('--state-dir <dir>', 'the state directory of the stack to talk to')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
    })
    .showHelpAfterError('(--help explains the usage)')
    .exitOverride()
    .addHelpText('after', HELP_END);
  const commands = [
    addRun,
    addSubmit,
    addList,
    addStatus,
    addRehearsal,
    addApprove,
    addEscalate,
    addPublish,
    addHalt,
    addResume,
    addRollback,
    addVerify,
    addReport,
    addIncident,
    addTrace,
    addErase,
    addRetention,
    addTransform,
    addImport,
    addGenerate,
    addInit,
    addTaxonomy,
    addToken,
    addDoctor,
    addUp,
    addCompletion,
  ];
  for (const add of commands) add(program, context);
  return program;
}
