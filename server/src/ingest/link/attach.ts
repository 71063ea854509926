import {
  hasMediaLink,
  insightsStartTime,
  type MediaLink,
  mergeMediaLink,
  type RecordingSid,
  type ReservationSid,
  type TaskAttributes,
  type TaskSid,
  type VoiceRecordingEntry,
} from '@flex-custody/core';
import { changeTask, type TwilioApi, type TwilioTask } from '@flex-custody/twilio';

/** The content of the link, beside its task. */
export interface Attachment {
  recordingSid: RecordingSid;
  taskSid: TaskSid;
  reservationSid?: ReservationSid;
  /** Base of `url_provider`, without a trailing slash. */
  publicUrl: string;
  startedAt: Date;
  /** When the reservation was last updated, if the proof has read it: see docs/linking.md on start_time. */
  reservationUpdated?: Date;
  /** Names of the two channels, in their order; absent or empty: no names are written. */
  channels?: readonly string[];
  title?: string;
  segmentLink?: string;
  /** The task, as the proof has just read it. */
  task?: TwilioTask;
}

export type Attached = 'attached' | 'gone' | 'full' | 'unreadable' | 'contended';

/** The result, and the task after it. */
export interface Attaching {
  attached: Attached;
  /** Absent if the task could not be read. */
  task?: { queue?: string; attributes: TaskAttributes };
}

function linkOf(attachment: Attachment, task: TwilioTask): MediaLink {
  const entry: VoiceRecordingEntry = {
    type: 'VoiceRecording',
    url_provider: `${attachment.publicUrl}/url-provider?recording=${attachment.recordingSid}`,
    start_time: insightsStartTime(
      attachment.startedAt.getTime(),
      task.dateUpdated.getTime(),
      attachment.reservationUpdated?.getTime(),
    ),
    ...(attachment.channels?.length ? { channels: attachment.channels } : {}),
    ...(attachment.title ? { title: attachment.title } : {}),
  };
  return {
    entry,
    ...(attachment.reservationSid ? { reservationSid: attachment.reservationSid } : {}),
    ...(attachment.segmentLink ? { segmentLink: attachment.segmentLink } : {}),
  };
}

/**
 * Merges the recording's entry into the task's attributes; other entries stay.
 * @returns `attached` also if the entry already existed
 * @throws CustodyError as {@link TwilioApi} does
 */
export async function attach(
  twilio: TwilioApi,
  attachment: Attachment,
  wait?: (ms: number) => Promise<void>,
): Promise<Attaching> {
  let seen: Attaching['task'];
  const changed = await changeTask(
    twilio,
    attachment.taskSid,
    (attributes, task) => {
      seen = { attributes, ...(task.queue !== undefined && { queue: task.queue }) };
      const link = linkOf(attachment, task);
      return hasMediaLink(attributes, link) ? 'same' : mergeMediaLink(attributes, link);
    },
    wait,
    attachment.task,
  );
  const attached = changed === 'written' || changed === 'same' ? 'attached' : changed;
  return { attached, ...(seen && { task: seen }) };
}
