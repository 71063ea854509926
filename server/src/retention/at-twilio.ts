import { errorCode, type RecordingSid } from '@flex-custody/core';
import type { TwilioApi } from '@flex-custody/twilio';
import type { RecordingRow } from '../catalog/recording-row.ts';

type Twilio = Pick<TwilioApi, 'deleteRecording' | 'recording'>;

/** Whether Twilio still has the recording's media. A deleted recording stays in Twilio's list for 40 days, without its media. */
export async function isAtTwilio(twilio: Pick<Twilio, 'recording'>, sid: RecordingSid): Promise<boolean> {
  const found = await twilio.recording(sid);
  return found !== undefined && found.status !== 'deleted' && found.status !== 'absent';
}

/**
 * Deletes the original. Twilio refuses to delete twice, so a recording that Twilio no longer has counts as deleted.
 * @throws CustodyError `twilio_refused` if Twilio has the recording and does not delete it, or as Twilio does
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
  // The host noted earlier that it deleted the original, or that it no longer existed.
  return sourceDeletedAt ? 'deleted' : how;
}
