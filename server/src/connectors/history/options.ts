import { CustodyError } from '@flex-custody/core';
import { type Channel, channels } from '../interaction.ts';

/** What of Twilio's past is read. */
export const historyResources = ['tasks', 'conversations'] as const;
export type HistoryResource = (typeof historyResources)[number];

export interface HistoryOptions {
  /** Such as `brevo`. */
  connector: string;
  /** `full`: all since `since`; `incremental`: what followed the last import. */
  type: 'incremental' | 'full';
  resources: readonly HistoryResource[];
  /** Epoch ms. */
  since?: number;
  /** Only these; undefined: all. */
  channels?: readonly Channel[];
  isDry: boolean;
}

/** Reads the options of a run. @throws CustodyError `request_invalid` */
export function historyOptions(options: Readonly<Record<string, unknown>>): HistoryOptions {
  const { connector, type = 'incremental', since: text, dryRun } = options;
  if (typeof connector !== 'string') throw invalid('connector');
  if (type !== 'incremental' && type !== 'full') throw invalid('type');
  const since = text === undefined ? undefined : Date.parse(String(text));
  if (Number.isNaN(since)) throw invalid('since');
  if (type === 'full' && since === undefined)
    throw new CustodyError('request_invalid', 'a full import needs --since: the time that it begins at');
  const wanted = listed(options['channels'], channels, 'channels');
  return {
    connector,
    type,
    resources: listed(options['resources'], historyResources, 'resources') ?? historyResources,
    ...(since !== undefined && { since }),
    ...(wanted && { channels: wanted }),
    isDry: dryRun === true,
  };
}

/** In the order of `all`, each once. */
function listed<T extends string>(value: unknown, all: readonly T[], what: string): readonly T[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.length === 0) throw invalid(what);
  if (value.some((one) => !all.some((known) => known === one))) throw invalid(what);
  return all.filter((one) => value.includes(one));
}

const invalid = (what: string) =>
  new CustodyError('request_invalid', `an option of the import cannot be read: ${what}`);
