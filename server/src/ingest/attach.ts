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
import type { TwilioApi, TwilioTask } from '@flex-custody/twilio';

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
}

export type Attached = 'attached' | 'gone' | 'full' | 'unreadable' | 'contended';

/** Writes tried before another writer's persistence is taken as the answer. */
const tries = 6;

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function parse(text: string): TaskAttributes | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as TaskAttributes)
      : undefined;
  } catch {
    return undefined;
  }
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
 * Merges the recording's entry into the task's attributes under `If-Match`, reading and merging again as often as
 * somebody else wrote in between. Attributes that are no JSON object are left as they are: an update replaces them whole.
 * @returns `attached` also when the entry stood there already
 * @throws CustodyError as {@link TwilioApi} does
 */
export async function attach(
  twilio: TwilioApi,
  attachment: Attachment,
  wait: (ms: number) => Promise<void> = pause,
): Promise<Attached> {
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    const task = await twilio.task(attachment.taskSid);
    if (!task) return 'gone';
    const attributes = parse(task.attributes);
    if (!attributes) return 'unreadable';
    const link = linkOf(attachment, task);
    if (hasMediaLink(attributes, link)) return 'attached';
    const text = mergeMediaLink(attributes, link);
    if (text === undefined) return 'full';
    const written = await twilio.updateTask(attachment.taskSid, text, task.etag);
    if (written === 'ok') return 'attached';
    if (written === 'gone') return 'gone';
    // Full jitter: whoever collided with us should not do so again.
    if (attempt < tries) await wait(Math.random() * Math.min(400, 25 * 2 ** attempt));
  }
  return 'contended';
}
