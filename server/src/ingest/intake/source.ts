import { CustodyError, errorCode, type MediaSource, type RecordingSid } from '@flex-custody/core';
import type { TwilioRecording } from '@flex-custody/twilio';
import { openMedia, openSealedMedia, type ResumableInput } from '@flex-custody/vault';
import type { AlarmCode } from '../../alarms/alarm-table.ts';
import type { RecordingRow, Registration } from '../../catalog/recording-row.ts';
import type { IngestDeps } from '../deps.ts';
import { giveUp } from '../give-up.ts';
import { logStep } from '../log-step.ts';

/**
 * Always requests two channels: without that a conference's media is mono, a refusal costs only one request, and a
 * channel that is not fetched is lost with the original.
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
 * Seconds that pauses may have left out of a recording. Read only if there may be any: the site's pauses skip, or the
 * media was too short before.
 */
export async function pausedSecondsOf(
  { catalog, config }: Pick<IngestDeps, 'catalog' | 'config'>,
  row: RecordingRow,
): Promise<number> {
  const mayBe = config.pause?.behavior === 'skip' || row.failure === 'media_short';
  return mayBe ? catalog.pausedSeconds(row) : 0;
}

/** The catalog's registration of a recording: Twilio's facts, and hints for the link. */
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

/** Errors of Twilio's encryption whose code is also an alarm's. */
const ofEncryption: readonly AlarmCode[] = [
  'twilio_encryption_unreadable',
  'twilio_key_unknown',
  'twilio_key_wrong',
];

/**
 * Settles a recording that has no media to copy, or media that the host cannot decrypt.
 * @returns its new state, or undefined if it is to be copied, now or when it is finished
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
      detail: `Twilio recorded the call and stored nothing (${facts.errorCode ?? 'no code'}), because it had no valid public key to encrypt it. Add one in the Console, Voice, Settings, Recording encryption`,
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
    await giveUp(deps, sid, 'source_deleted', {
      code: 'source_deleted',
      detail: 'the original was deleted at Twilio before the host copied it',
    });
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

/** With Voice Recording Encryption, Twilio stores no media if it has no key. */
function isUnstored({ status, errorCode }: TwilioRecording): boolean {
  return status === 'failed' || (status === 'absent' && errorCode === '16105');
}

/**
 * The content key of a recording that Twilio has encrypted; undefined for an unencrypted one.
 * @throws CustodyError `twilio_encryption_unreadable`, `twilio_key_unknown`, `twilio_key_wrong`
 */
function contentKeyOf({ twilioKeys }: Pick<IngestDeps, 'twilioKeys'>, { encryption }: TwilioRecording) {
  if (!encryption) return undefined;
  if (encryption === 'unreadable') {
    throw new CustodyError(
      'twilio_encryption_unreadable',
      "Twilio's encryption details of the recording cannot be read",
    );
  }
  if (!twilioKeys) {
    throw new CustodyError(
      'twilio_key_unknown',
      `Twilio encrypted the recording for the public key ${encryption.publicKeySid}: add the private half to CUSTODY_TWILIO_KEY_FILE`,
    );
  }
  return { cek: twilioKeys.unwrap(encryption), iv: encryption.iv };
}

/** Makes a function that opens the recording's audio at Twilio, once for each try. @throws CustodyError as {@link contentKeyOf} */
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
 * Twilio states that the recording is completed, but its media is not available yet. The host asks Twilio whenever media
 * is missing, and only Twilio's status `deleted` is final, so this case of the code is retryable.
 */
export const mediaLags = () =>
  new CustodyError('media_missing', "the recording is completed, but Twilio's media is not available yet", {
    retryable: true,
  });
