import type { MediaSource, RecordingSid } from '@flex-custody/core';
import type { TwilioRecording } from '../twilio/api.ts';
import type { IngestParts } from './parts.ts';

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

/**
 * Puts aside a recording of which there is nothing to copy, or nothing that we could play.
 * @returns what became of it, or undefined when it is to be copied, now or once it is finished
 */
export async function settleUncopyable(
  parts: Pick<IngestParts, 'alarms' | 'catalog'>,
  sid: RecordingSid,
  facts: TwilioRecording | undefined,
): Promise<'absent' | 'failed' | undefined> {
  if (facts?.status === 'absent') {
    await parts.catalog.absent(sid, facts.errorCode ?? 'unknown');
    await parts.catalog.unlinked(sid, 'absent');
    return 'absent';
  }
  if (!facts || facts.status === 'deleted')
    return giveUp(parts, sid, 'source_deleted', 'gone before the copy');
  if (facts.status === 'completed' && facts.encrypted) {
    return giveUp(
      parts,
      sid,
      'twilio_encrypted',
      "sealed by Twilio's Voice Recording Encryption, which is not taken yet",
    );
  }
  return undefined;
}

async function giveUp(
  parts: Pick<IngestParts, 'alarms' | 'catalog'>,
  sid: RecordingSid,
  code: string,
  detail: string,
): Promise<'failed'> {
  if (await parts.catalog.giveUp(sid, code)) await parts.alarms.raise(code, sid, detail);
  return 'failed';
}
