import type { RecordingRow, ShortSession } from '../../catalog/recording-row.ts';
import type { Kept } from '../../retention/may-destroy.ts';
import type { CompletePeriod } from '../repair/complete.ts';
import type { Contact } from '../sessions/contact.ts';
import { shortCall } from '../sessions/policies.ts';

/** TaskRouter may list an event late: so long after a call's close its history has to be compared (ms). */
export const marginMs = 10 * 60_000;

/** What is known about a contact that looks short. */
export interface Evidence {
  /** The data source's settings. */
  settings: { version: number; minimumSeconds: number };
  /** TaskRouter's events of this period are in the inbox. */
  complete: CompletePeriod | undefined;
  /** Whether the sessions have read the inbox until {@link marginMs} after the close, and every event that names the contact. */
  isRead: boolean;
  /** All recordings that a SID of the contact names. */
  recordings: readonly RecordingRow[];
  /** Whether another contact has one of the recording's SIDs. */
  isShared(row: RecordingRow): boolean;
}

/** When a contact is looked at again. */
export type Again = 'soon' | 'later';

/**
 * `due`: the recordings whose audio is to be deleted. `kept`: it is short, and keeps its audio for that reason. Neither: it
 * is not short, or has no audio.
 */
export interface Judged {
  again: Again;
  due?: { recordings: readonly RecordingRow[]; session: ShortSession };
  kept?: Kept;
}

/**
 * Whether the audio of a contact is to be deleted since the call was shorter than the minimum length. What is unknown or
 * contradicts it keeps the audio. Holds and locks are asked for later, for each recording.
 */
export function judgeShort(contact: Contact, evidence: Evidence): Judged {
  const { settings, complete, isRead, recordings, isShared } = evidence;
  const { minimumSeconds } = settings;
  const short = shortCall(contact, minimumSeconds);
  const audible = recordings.filter(({ state }) => state !== 'erased' && state !== 'absent');
  if (!short || audible.length === 0) return { again: 'later' };
  const kept = (why: string, detail: string, again: Again = 'later'): Judged => ({
    again,
    kept: { why, detail },
  });
  if (!complete || complete.until.getTime() < short.closedAt + marginMs || !isRead)
    return kept('unconfirmed', 'gap repair has not confirmed all of its events yet', 'soon');
  if (complete.from.getTime() > contact.openedAt)
    return kept(
      'unconfirmed',
      `it began before gap repair did: flex-custody recorder repair --since ${new Date(contact.openedAt).toISOString()}`,
    );
  if (audible.some(isShared)) return kept('shared', 'another call has one of its recordings too');
  const tasks = new Set<string>(contact.interactions.flatMap(({ taskSid }) => taskSid ?? []));
  if (audible.some(({ taskSid, unproven }) => !taskSid || !tasks.has(taskSid) || unproven.length > 0))
    return kept('unproven', 'one of its recordings is not proven to be of its task');
  if (audible.some(({ state, object }) => state !== 'verified' || !object))
    return kept('unverified', 'one of its recordings has no verified copy, so its length is not known');
  const contradiction = contradictionOf(audible, minimumSeconds);
  if (contradiction) return kept('disputed', contradiction);
  const { connectedAt, closedAt, seconds } = short;
  const session: ShortSession = {
    id: contact.id,
    connectedAt: new Date(connectedAt).toISOString(),
    closedAt: new Date(closedAt).toISOString(),
    ...{ seconds, minimumSeconds, settings: settings.version },
  };
  return { again: 'later', due: { recordings: audible, session } };
}

/** Twilio's recordings start in whole seconds, and end a moment after the call (ms). */
const slackMs = 2_000;
/** Twilio's WAV: 8,000 samples of 2 bytes a second and channel, behind a header. */
const bytesPerSecond = 16_000;
const headerBytes = 44;

/** The recordings outlast the call: then events are wrong or missing. */
function contradictionOf(rows: readonly RecordingRow[], minimumSeconds: number): string | undefined {
  const periods = rows.map((row) => ({ from: row.startedAt.getTime(), seconds: lengthOf(row) }));
  const longest = Math.max(...periods.map(({ seconds }) => seconds));
  if (longest > minimumSeconds)
    return `a recording of it lasts ${longest.toFixed(1)} s, and the call's events say less than ${minimumSeconds} s`;
  const from = Math.min(...periods.map((one) => one.from));
  const to = Math.max(...periods.map((one) => one.from + one.seconds * 1_000));
  return to - from > minimumSeconds * 1_000 + slackMs
    ? `its recordings cover ${((to - from) / 1_000).toFixed(1)} s, and the call's events say less than ${minimumSeconds} s`
    : undefined;
}

/** Seconds: the greater one of what Twilio states and what the verified copy has. */
const lengthOf = ({ channels, durationSeconds = 0, object }: RecordingRow): number =>
  Math.max(durationSeconds, ((object?.plaintextBytes ?? 0) - headerBytes) / (bytesPerSecond * channels));
