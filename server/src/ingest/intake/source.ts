import { CustodyError, errorCode, type MediaSource, type RecordingSid } from '@flex-custody/core';
import type { TwilioRecording } from '@flex-custody/twilio';
import { openMedia, openSealedMedia, type ResumableInput } from '@flex-custody/vault';
import type { AlarmCode } from '../../alarms/alarm-table.ts';
import type { RecordingRow, Registration } from '../../catalog/recording-row.ts';
import type { IngestDeps } from '../deps.ts';
import { giveUp } from '../give-up.ts';
import { logStep } from '../log-step.ts';

/**
 * Two channels are always asked for: a conference's media is mono unless one does, a refusal costs a request, and a
 * channel that was not fetched is lost with the original.
 * Source: https://www.twilio.com/docs/voice/api/recording#download-dual-channel-media-file
 */
export function mediaSource(facts: TwilioRecording, pausedSeconds = 0): MediaSource {
  return {
    accountSid: facts.accountSid,
    recordingSid: facts.sid,
    channels: 2,
    ...(facts.durationSeconds === undefined ? {} : { durationSeconds: facts.durationSeconds }),
    ...(pausedSeconds > 0 && { pausedSeconds }),
  };
}

/**
 * What pauses may have left out of a recording that is to be copied. Asked only where some may have: the site's pauses
 * skip, or the media was short before.
 */
export async function pausedSecondsOf(
  { catalog, config }: Pick<IngestDeps, 'catalog' | 'config'>,
  row: RecordingRow,
): Promise<number> {
  const mayBe = config.pause?.behavior === 'skip' || row.failure === 'media_short';
  return mayBe ? catalog.pausedSeconds(row) : 0;
}

/** What the catalog is told of a recording: Twilio's facts, and hints for the link. */
export function registrationOf(
  facts: TwilioRecording,
  source: Registration['source'],
  hints: Registration['hints'] = {},
): Registration {
  const { sid, accountSid, callSid, conferenceSid, channels, durationSeconds, startedAt } = facts;
  return {
    recordingSid: sid,
    accountSid,
    ...(callSid && { callSid }),
    ...(conferenceSid && { conferenceSid }),
    channels,
    ...(durationSeconds !== undefined && { durationSeconds }),
    startedAt,
    sourceEncrypted: facts.encryption !== undefined,
    sourceCompleted: facts.status === 'completed',
    hints,
    source,
  };
}

/** What is wrong with a recording's encryption has an alarm of the same code. */
const ofEncryption: readonly AlarmCode[] = [
  'twilio_encryption_unreadable',
  'twilio_key_unknown',
  'twilio_key_wrong',
];

/**
 * Puts aside a recording of which there is nothing to copy, or nothing that we could play.
 * @returns what became of it, or undefined when it is to be copied, now or once it is finished
 */
export async function settleUncopyable(
  deps: Pick<IngestDeps, 'alarms' | 'catalog' | 'log' | 'twilioKeys'>,
  sid: RecordingSid,
  facts: TwilioRecording | undefined,
): Promise<'absent' | 'failed' | undefined> {
  if (facts && isUnstored(facts)) {
    await deps.catalog.unlinked(sid, 'not_stored');
    await giveUp(deps, sid, 'twilio_not_stored', {
      code: 'twilio_not_stored',
      detail: `Twilio recorded it and stored nothing (${facts.errorCode ?? 'no code'}): it had no valid public key to seal it for. Add one in the Console, Voice, Settings, Recording encryption`,
    });
    return 'failed';
  }
  if (facts?.status === 'absent') {
    const reason = facts.errorCode ?? 'unknown';
    if (await deps.catalog.absent(sid, reason)) logStep(deps.log, 'absent', sid, { reason });
    await deps.catalog.unlinked(sid, 'absent');
    return 'absent';
  }
  if (!facts || facts.status === 'deleted') {
    await deps.catalog.unlinked(sid, 'source_deleted');
    await giveUp(deps, sid, 'source_deleted', { code: 'source_deleted', detail: 'gone before the copy' });
    return 'failed';
  }
  if (facts.status !== 'completed') return undefined;
  try {
    contentKeyOf(deps, facts);
    return undefined;
  } catch (error) {
    const code = errorCode(error);
    await giveUp(deps, sid, code, {
      code: ofEncryption.find((known) => known === code) ?? 'copy_failed',
      detail: error instanceof Error ? error.message : code,
    });
    return 'failed';
  }
}

/** With Voice Recording Encryption, a recording for which Twilio had no key is no recording. */
function isUnstored({ status, errorCode }: TwilioRecording): boolean {
  return status === 'failed' || (status === 'absent' && errorCode === '16105');
}

/**
 * What opens a recording that Twilio has sealed; undefined for one that it has not.
 * @throws CustodyError `twilio_encryption_unreadable`, `twilio_key_unknown`, `twilio_key_wrong`
 */
function contentKeyOf({ twilioKeys }: Pick<IngestDeps, 'twilioKeys'>, { encryption }: TwilioRecording) {
  if (!encryption) return undefined;
  if (encryption === 'unreadable') {
    throw new CustodyError(
      'twilio_encryption_unreadable',
      "Twilio's encryption details of it are not understood",
    );
  }
  if (!twilioKeys) {
    throw new CustodyError(
      'twilio_key_unknown',
      `Twilio sealed it for its public key ${encryption.publicKeySid}: give the private half in CUSTODY_TWILIO_KEY_FILE`,
    );
  }
  return { cek: twilioKeys.unwrap(encryption), iv: encryption.iv };
}

/** Opens the recording's audio at Twilio, again for each try. @throws CustodyError as {@link contentKeyOf} */
export function mediaOpener(
  deps: Pick<IngestDeps, 'credentials' | 'twilioKeys'>,
  facts: TwilioRecording,
  signal: AbortSignal,
): ResumableInput['open'] {
  const source = mediaSource(facts);
  const contentKey = contentKeyOf(deps, facts);
  return ({ channels, ...range }) => {
    const asked = { ...source, channels };
    return contentKey
      ? openSealedMedia(asked, deps.credentials, contentKey, { signal })
      : openMedia(asked, deps.credentials, { signal, ...range });
  };
}

/**
 * Twilio says that the recording is completed, and its media is not there yet: it will be. Only when Twilio says that the
 * recording is deleted is it gone, and that is asked whenever media is missing. So this one case of the code is retryable.
 */
export const mediaLags = () =>
  new CustodyError('media_missing', 'completed, but its media is not there yet', { retryable: true });
