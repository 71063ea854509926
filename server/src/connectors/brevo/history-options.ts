import { CustodyError } from '@flex-custody/core';
import type { Json } from '../../runs/runs.ts';
import { type HistoryResource, historyResources } from '../history/options.ts';
import type { BrevoConfig } from './config/brevo-config.ts';
import { fields } from './config/fields.ts';

/**
 * The options of an import, without what the connector's file does not send.
 * @throws CustodyError `request_invalid` where nothing is left
 */
export function withinFile(
  options: Readonly<Json>,
  { channels, sync }: Pick<BrevoConfig, 'channels' | 'sync'>,
): Readonly<Json> {
  const wanted = (options['resources'] ?? historyResources) as readonly HistoryResource[];
  const resources = wanted.filter((one) => sync[one]);
  if (resources.length === 0) {
    const keys = wanted.map((one) => `sync.${one}`).join(' and ');
    throw new CustodyError('request_invalid', `${keys} is false in the file that CUSTODY_BREVO_FILE names`);
  }
  const isAll = channels.length === fields.channels.values.length;
  // A file with all channels leaves no need to ask which one a conversation has.
  return { ...(isAll ? {} : { channels: [...channels] }), ...options, resources };
}
