import { ConfigError, type ConfigMistake } from './config-error.ts';
import { readYamlFile } from './config-files.ts';
import { type Policy, policySchema } from './policy.ts';

/**
 * Reads `policy.yaml` alone, for what must run whatever is wrong with the other files.
 *
 * @throws {ConfigError} with every mistake in it.
 */
export async function loadPolicy(dir: string): Promise<Policy> {
  const mistakes: ConfigMistake[] = [];
  const policy = await readYamlFile(dir, 'policy.yaml', policySchema, mistakes);
  if (policy === undefined) throw new ConfigError(dir, mistakes);
  return policy;
}
