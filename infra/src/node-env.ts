import path from 'node:path';
import { REPOSITORY_ROOT } from './repository.ts';

/**
 * Heap limits in MiB, for a process whose live heap is 30 MiB: V8 lets garbage pile up in proportion to what it may use,
 * and its default is half of the machine. docs/performance.md has the figures.
 */
const HEAP_FLAGS = ['--max-old-space-size=512', '--max-semi-space-size=2'];
/** Compiled code, and TypeScript without its types: the compiler that takes them away need not be loaded. */
const COMPILE_CACHE = path.join(REPOSITORY_ROOT, 'node_modules', '.cache', 'node-compile');

/** An environment under which Node starts fast and stays small; what it says itself about Node has the last word. */
export function nodeEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = env.NODE_OPTIONS ? [env.NODE_OPTIONS] : [];
  return { NODE_COMPILE_CACHE: COMPILE_CACHE, ...env, NODE_OPTIONS: [...HEAP_FLAGS, ...own].join(' ') };
}
