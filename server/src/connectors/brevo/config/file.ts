import { readYaml } from '../../../retention/policy-faults.ts';
import type { BrevoConfig } from './brevo-config.ts';
import { nameOf } from './fault.ts';
import { readConfig } from './read.ts';

/**
 * @param accountSid the host's own account
 * @returns faults as lines with place, reason and next step; no line quotes a value
 */
export function readBrevoFile(
  text: string,
  accountSid: string,
): { config: BrevoConfig } | { faults: string[] } {
  const yaml = readYaml(text);
  if (typeof yaml === 'string') return { faults: [yaml] };
  const { config, faults } = readConfig(yaml.value, accountSid);
  if (faults.length === 0) return { config };
  /** Of the key, or of the nearest one above it that the file has. */
  const placeOf = (path: readonly string[]): string =>
    path.length === 0 ? '' : yaml.placeOf(path) || placeOf(path.slice(0, -1));
  return { faults: faults.map(({ path, message }) => `${nameOf(path)} ${message}${placeOf(path)}`) };
}
