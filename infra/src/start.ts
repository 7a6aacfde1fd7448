// npm start: the embedded stack in the foreground until Ctrl-C.
import { runStart } from './run-start.ts';

await runStart();
