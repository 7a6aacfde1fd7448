// Of the caller's environment these are about other servers than the embedded ones; AWS_* would
// send the object store's client elsewhere or sign with other credentials.
const FOREIGN =
  /^(PG[A-Z]+|CHECKPOINT_DATABASE_URL|AWS_.*|ANALYTICS_SALT|AUDIT_KEY|BACKFILL_API_URL|BACKFILL_TOKEN_.*)$/;

/** The environment of the services: the stack's values over the caller's, without foreign ones. */
export function serviceEnv(caller: NodeJS.ProcessEnv, stack: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const kept = Object.entries(caller).filter(([key]) => !FOREIGN.test(key));
  return { ...Object.fromEntries(kept), ...stack };
}
