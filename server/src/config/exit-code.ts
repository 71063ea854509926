import { errorCode } from '@flex-custody/core';

/** EX_CONFIG of sysexits(3): a supervisor should not restart the process before the environment is corrected. */
export const exitConfig = 78;

const ofEnvironment: ReadonlySet<string> = new Set([
  'brevo_invalid',
  'caller_secret_missing',
  'config_invalid',
  'custody_differs',
  'data_dir_open',
  'env_file_open',
  'policy_weaker',
  'secrets_key_missing',
]);

/** The exit code of a process that ends with this error (docs/cli.md). */
export const exitCodeOf = (error: unknown): 1 | 78 => (ofEnvironment.has(errorCode(error)) ? exitConfig : 1);
