import type { MediaSource, RecordingSid } from '@flex-custody/core';
import type { TwilioRecording } from '@flex-custody/twilio';
import type { Registration } from '../catalog/catalog.ts';
import type { IngestParts } from './parts.ts';
import { giveUp, logStep } from './steps.ts';

/**
 * Two channels are always asked for: a conference's media is mono unless one does, a refusal costs a request, and a
 * channel that was not fetched is lost with the original.
 * Source: https://www.twilio.com/docs/voice/api/recording#download-dual-channel-media-file
 */
export function mediaSource(facts: TwilioRecording): MediaSource {
  return {
    accountSid: facts.accountSid,
    recordingSid: facts.sid,
    channels: 2,
    ...(facts.durationSeconds === undefined ? {} : { durationSeconds: facts.durationSeconds }),
  };
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
    hints,
    source,
  };
}

/**
 * Puts aside a recording of which there is nothing to copy, or nothing that we could play.
 * @returns what became of it, or undefined when it is to be copied, now or once it is finished
 */
export async function settleUncopyable(
  parts: Pick<IngestParts, 'alarms' | 'catalog' | 'log'>,
  sid: RecordingSid,
  facts: TwilioRecording | undefined,
): Promise<'absent' | 'failed' | undefined> {
  if (facts?.status === 'absent') {
    const reason = facts.errorCode ?? 'unknown';
    if (await parts.catalog.absent(sid, reason)) logStep(parts.log, 'absent', sid, { reason });
    await parts.catalog.unlinked(sid, 'absent');
    return 'absent';
  }
  if (!facts || facts.status === 'deleted') {
    await parts.catalog.unlinked(sid, 'source_deleted');
    await giveUp(parts, sid, 'source_deleted', { code: 'source_deleted', detail: 'gone before the copy' });
    return 'failed';
  }
  if (facts.status === 'completed' && facts.encrypted) {
    await giveUp(parts, sid, 'twilio_encrypted', {
      code: 'twilio_encrypted',
      detail: "sealed by Twilio's Voice Recording Encryption, which is not taken yet",
    });
    return 'failed';
  }
  return undefined;
}
