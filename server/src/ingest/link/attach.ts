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

/** What the link says, besides where it goes. */
export interface Attachment {
  recordingSid: RecordingSid;
  taskSid: TaskSid;
  reservationSid?: ReservationSid;
  /** Base of `url_provider`, without a trailing slash. */
  publicUrl: string;
  startedAt: Date;
  /** Where the proof knows it: see docs/linking.md on start_time. */
  reservationUpdated?: Date;
  /** Names of the two channels, in their order; absent or empty says nothing of them. */
  channels?: readonly string[];
  title?: string;
  segmentLink?: string;
  /** As the proof has just read it. */
  task?: TwilioTask;
}

export type Attached = 'attached' | 'gone' | 'full' | 'unreadable' | 'contended';

/** How it went, and the task as it was then. */
export interface Attaching {
  attached: Attached;
  /** Absent where nobody could read it. */
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
 * Merges the recording's entry into the task's attributes, beside what others wrote there.
 * @returns `attached` also when the entry stood there already
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
