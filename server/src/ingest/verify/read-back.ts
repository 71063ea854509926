import {
  type AgentChannel,
  errorCode,
  isRetryable,
  type MediaSource,
  type RecordingAnalysis,
} from '@flex-custody/core';
import { verifyObject } from '@flex-custody/vault';
import { Analyser } from '../../audio/analyser.ts';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import { stillMs, whileMoving } from '../copy/while-moving.ts';
import type { IngestDeps } from '../deps.ts';

type Deps = Pick<IngestDeps, 'config' | 'keys' | 'store' | 'log'>;

export interface ReadBack {
  plaintextSha256: string;
  /** Of its audio. */
  channels: 1 | 2;
  /** Null where nobody can say what is heard in it. */
  analysis: RecordingAnalysis | null;
}

/**
 * On a call's leg the agent is on the second channel; a conference has whoever joined first on the first one.
 * Source: docs/analysis.md
 */
export function agentChannel(
  row: Pick<RecordingRow, 'conferenceSid'>,
  { conferenceFirst }: IngestDeps['config'],
): AgentChannel {
  return row.conferenceSid !== undefined && conferenceFirst === 'agent' ? 0 : 1;
}

/**
 * Reads a recording's sealed object from its first byte to its last: verifies it, and hears it on the way.
 * @param stated how long it is by Twilio's word; without it the length is not asked about
 * @throws CustodyError as {@link verifyObject}
 */
export async function readBack(
  { config, keys, store }: Deps,
  row: RecordingRow,
  object: NonNullable<RecordingRow['object']>,
  signal: AbortSignal = new AbortController().signal,
  stated: Pick<MediaSource, 'durationSeconds' | 'pausedSeconds'> = {},
): Promise<ReadBack> {
  const analyser = new Analyser(agentChannel(row, config));
  const read = (halted: AbortController, moved: () => void) =>
    verifyObject({
      object,
      source: {
        accountSid: row.accountSid,
        recordingSid: row.recordingSid,
        channels: row.channels,
        ...stated,
      },
      keys,
      store,
      signal: halted.signal,
      onPlaintext: (chunk) => {
        moved();
        analyser.push(chunk);
      },
    });
  const { plaintextSha256, channels } = await whileMoving(signal, stillMs, read);
  return { plaintextSha256, channels, analysis: analyser.end() ?? null };
}

/** What was heard in a recording that was verified without being heard; undefined where it cannot be read now. */
export async function reanalyse(
  deps: Deps,
  row: RecordingRow,
  object: NonNullable<RecordingRow['object']>,
): Promise<RecordingAnalysis | null | undefined> {
  try {
    return (await readBack(deps, row, object)).analysis;
  } catch (error) {
    if (isRetryable(error)) throw error;
    deps.log.warn(
      { recording: row.recordingSid, code: errorCode(error) },
      'a verified recording cannot be heard',
    );
    return undefined;
  }
}
