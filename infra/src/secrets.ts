import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { ROLES, type Role } from '@backfill/core/domain/approvals';
import { type StateDir, writePrivateFile } from './state-dir.ts';

/** Everything secret of one embedded stack, made once and kept with its state. */
export interface Secrets {
  postgresPassword: string;
  redisPassword: string;
  s3AccessKeyId: string;
  s3SecretAccessKey: string;
  /** One API token per role. */
  tokens: Record<Role, string>;
}

/** Reads the secrets of a state directory; makes what is missing. Files are for the owner alone. */
export function loadSecrets(dir: StateDir): Secrets {
  const known = existsSync(dir.secretsFile)
    ? (JSON.parse(readFileSync(dir.secretsFile, 'utf8')) as Partial<Secrets>)
    : {};
  const tokens = ROLES.map((role) => [role, known.tokens?.[role] ?? `bf_${secret(24)}`]);
  const secrets: Secrets = {
    postgresPassword: known.postgresPassword ?? secret(24),
    redisPassword: known.redisPassword ?? secret(24),
    s3AccessKeyId: known.s3AccessKeyId ?? `BF${secret(9).toUpperCase()}`,
    s3SecretAccessKey: known.s3SecretAccessKey ?? secret(20),
    tokens: Object.fromEntries(tokens) as Record<Role, string>,
  };
  writePrivateFile(dir.secretsFile, `${JSON.stringify(secrets, null, 2)}\n`);
  // The salt of all pseudonyms: losing it breaks every later comparison, so it is never remade.
  if (!existsSync(dir.saltFile)) writePrivateFile(dir.saltFile, `${secret(32)}\n`);
  // The key of the audit log's chain: nothing can be verified without the one that it was made with.
  if (!existsSync(dir.auditKeyFile)) writePrivateFile(dir.auditKeyFile, `${secret(32)}\n`);
  return secrets;
}

function secret(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}
