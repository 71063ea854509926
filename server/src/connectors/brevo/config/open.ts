import { CustodyError } from '@flex-custody/core';
import { howToGet } from '../../../config/parse.ts';
import { isOpenToOthers, readPrivateFile } from '../../../config/private-file.ts';
import { systemCode } from '../../../config/system-code.ts';
import type { Config } from '../../../config.ts';
import type { BrevoConfig } from './brevo-config.ts';
import { readBrevoFile } from './file.ts';

/** The settings of the environment that the connector's file depends on. */
export type BrevoSettings = Pick<Config, 'accountSid'> & Partial<Pick<Config, 'brevo'>>;

/**
 * Reads the file of CUSTODY_BREVO_FILE; undefined where none is set.
 * @param needsKey whether Brevo's key must be there too, as long as the connector is enabled
 * @throws CustodyError `brevo_invalid` with a line for each fault, `config_invalid` without the key
 */
export function openBrevoConfig(
  { accountSid, brevo }: BrevoSettings,
  { needsKey = true }: { needsKey?: boolean } = {},
): BrevoConfig | undefined {
  if (brevo === undefined) return undefined;
  const read = readBrevoFile(textOf(brevo.file), accountSid);
  if ('faults' in read)
    throw new CustodyError(
      'brevo_invalid',
      [`CUSTODY_BREVO_FILE (${brevo.file}):`, ...read.faults].join('\n'),
    );
  if (needsKey && read.config.enabled && brevo.apiKey === undefined)
    throw new CustodyError(
      'config_invalid',
      `CUSTODY_BREVO_API_KEY is missing: ${howToGet['CUSTODY_BREVO_API_KEY']}`,
    );
  return read.config;
}

/** Who may write the file decides what of the customers leaves the host. */
function textOf(file: string): string {
  try {
    return readPrivateFile(file, 'write');
  } catch (error) {
    if (isOpenToOthers(error))
      throw new CustodyError('brevo_invalid', `CUSTODY_BREVO_FILE: ${error.message}`, { cause: error });
    throw new CustodyError(
      'brevo_invalid',
      `CUSTODY_BREVO_FILE (${file}) cannot be read (${systemCode(error) || 'unexpected'}): correct the path, or unset the variable`,
      { cause: error },
    );
  }
}
