import type { ConfigMistake } from './config-error.ts';
import { readYamlFile } from './config-files.ts';
import { loadConfigDir } from './load-config.ts';
import { type Policy, policySchema } from './policy.ts';

/**
 * Reads `policy.yaml` alone, for what must run whatever is wrong with the other files.
 *
 * @throws {ConfigError} when it cannot be used, with every mistake of the directory.
 */
export async function loadPolicy(dir: string): Promise<Policy> {
  const mistakes: ConfigMistake[] = [];
  const policy = await readYamlFile(dir, 'policy.yaml', policySchema, mistakes);
  // With the whole directory's mistakes, not only these.
  return policy ?? (await loadConfigDir(dir)).policy;
}
