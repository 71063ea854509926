import { errorCode, type RecordingSid } from '@flex-custody/core';
import type { TwilioApi } from '@flex-custody/twilio';
import type { RecordingRow } from '../catalog/recording-row.ts';

type Twilio = Pick<TwilioApi, 'deleteRecording' | 'recording'>;

/** Whether Twilio still has it to be deleted. A deleted recording stays in Twilio's list for 40 days, without its media. */
export async function isAtTwilio(twilio: Pick<Twilio, 'recording'>, sid: RecordingSid): Promise<boolean> {
  const found = await twilio.recording(sid);
  return found !== undefined && found.status !== 'deleted' && found.status !== 'absent';
}

/**
 * Deletes the original. Twilio refuses to delete a second time, so what it has no longer counts as done.
 * @throws CustodyError `twilio_refused` where Twilio has it and keeps it, or as Twilio does
 */
export async function deleteAtTwilio(
  twilio: Twilio,
  { recordingSid, sourceDeletedAt }: Pick<RecordingRow, 'recordingSid' | 'sourceDeletedAt'>,
): Promise<'deleted' | 'gone'> {
  let how: 'deleted' | 'gone';
  try {
    how = await twilio.deleteRecording(recordingSid);
  } catch (error) {
    if (errorCode(error) !== 'twilio_refused') throw error;
    const found = await twilio.recording(recordingSid);
    if (found && found.status !== 'deleted' && found.status !== 'absent') throw error;
    how = found?.status === 'deleted' ? 'deleted' : 'gone';
  }
  // The host noted that it deleted it, or found it gone, before.
  return sourceDeletedAt ? 'deleted' : how;
}
