import vm from 'node:vm';

/**
 * An upcast, compiled: takes an event's properties in one version and gives them in the next, both as JSON text.
 * Undefined if it threw or returned anything but an object of JSON values.
 */
export type UpcastModule = (propertiesJson: string) => string | undefined;

/** The whole contract of an upcast's file. Without it the text is a script, which cannot import anything. */
const EXPORT = /^export (?=function upcast\()/gm;
const DYNAMIC_IMPORT = /\bimport\s*\(/;

/**
 * Runs first in the upcast's own realm: takes away what differs between two runs or two machines (the clock, chance,
 * the locale), and freezes the rest, so that no call can leave anything for the next one.
 */
const REALM = `'use strict';
for (const name of ['Date', 'Intl', 'console', 'WebAssembly', 'SharedArrayBuffer', 'Atomics', 'WeakRef',
  'FinalizationRegistry', 'Promise']) delete globalThis[name];
delete Math.random;
for (const { prototype } of [String, Number, BigInt, Array, Object, Object.getPrototypeOf(Int8Array)]) {
  for (const name of Object.getOwnPropertyNames(prototype)) if (/locale/i.test(name)) delete prototype[name];
}
for (const name of Object.getOwnPropertyNames(globalThis)) {
  const value = globalThis[name];
  if (Object(value) !== value || value === globalThis) continue;
  Object.freeze(value);
  if (value.prototype) Object.freeze(value.prototype);
}
Object.freeze(globalThis);`;

/** What is wrong with the text of an upcast; undefined if it can be compiled. */
export function upcastProblem(text: string): string | undefined {
  if (text.match(EXPORT)?.length !== 1) return 'must have one line that begins with "export function upcast("';
  if (DYNAMIC_IMPORT.test(text)) return 'is not a plain module without imports: it calls import()';
  try {
    new vm.Script(asScript(text));
    return undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return `is not a plain module without imports: ${error.message}`;
  }
}

/**
 * Compiles the text of an upcast: pure JavaScript with `export function upcast(properties) { return … }`. It runs in a
 * realm of its own, without the means to reach anything, and from its first line on at each call. The realm is for
 * determinism; it is no wall against an author who means harm.
 *
 * @throws SyntaxError on a text that `upcastProblem` refuses
 */
export function compileUpcastModule(text: string): UpcastModule {
  const context = vm.createContext(vm.constants.DONT_CONTEXTIFY, { codeGeneration: { strings: false, wasm: false } });
  vm.runInContext(REALM, context);
  const run: (propertiesJson: string) => string = vm.runInContext(runnerText(text), context);
  return (propertiesJson) => {
    try {
      return run(propertiesJson);
    } catch {
      // Whatever it says may quote the event, so not even its message goes on.
      return undefined;
    }
  };
}

function asScript(text: string): string {
  return `'use strict';\n${text.replace(EXPORT, '')}\n`;
}

/** Only text crosses the border between the realms: an upcast can keep nothing, and return nothing but JSON. */
function runnerText(text: string): string {
  return `'use strict';
(() => {
  const load = () => {
${text.replace(EXPORT, '')}
    return upcast;
  };
  const onlyJson = (_, value) => {
    if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError();
    if (typeof value === 'function' || typeof value === 'symbol') throw new TypeError();
    return value;
  };
  return (propertiesJson) => {
    const result = load()(JSON.parse(propertiesJson));
    if (Object.getPrototypeOf(result) !== Object.prototype) throw new TypeError();
    return JSON.stringify(result, onlyJson);
  };
})();`;
}
