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
  /** Channels of its audio. */
  channels: 1 | 2;
  /** Null if the audio cannot be analysed. */
  analysis: RecordingAnalysis | null;
}

/**
 * In a recording of a call's leg the agent is on the second channel; in a conference the first participant is on the
 * first one.
 * Source: docs/analysis.md
 */
export function agentChannel(
  row: Pick<RecordingRow, 'conferenceSid'>,
  { conferenceFirst }: IngestDeps['config'],
): AgentChannel {
  return row.conferenceSid !== undefined && conferenceFirst === 'agent' ? 0 : 1;
}

/**
 * Reads a recording's sealed object from its first byte to its last, verifies it, and analyses its audio.
 * @param stated the length that Twilio states; absent: the length is not checked
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

/** The analysis of a recording that was verified without one; undefined if it cannot be read. */
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
      'a verified recording could not be analysed',
    );
    return undefined;
  }
}
