import {
  type ConferenceSid,
  errorCode,
  isRetryable,
  type LiveConference,
  type PauseSettings,
  pausedSince,
  withoutPause,
} from '@flex-custody/core';
import { changeTaskMark, setPaused, stopStreams, type TwilioLiveConference } from '@flex-custody/twilio';
import type { RecorderDeps } from '../deps.ts';
import { recorderJobs } from '../jobs.ts';
import { addToInbox } from '../reports/own-report.ts';
import { createPauses, dueOf, lasting, type Pause, type PauseEnd, type Pauses } from './pauses.ts';

const lookMs = 10_000;
/** An outage that keeps a call paused for so long past its time raises an alarm. */
const overdueMs = 60_000;

/** With the settings as they are at this look. */
type LookDeps = Omit<RecorderDeps, 'settings'> & { settings: PauseSettings };

const handedIn = ['wrapping', 'completed', 'canceled'];

/**
 * Watches one paused call until its pause is over, one look at a time. Every step may run twice, and on two workers: the
 * last request to Twilio decides.
 */
export async function look(
  deps: RecorderDeps,
  sid: ConferenceSid,
  now: number = Date.now(),
): Promise<'over' | 'lasts'> {
  const pauses = createPauses(deps.db);
  const pause = lasting(await pauses.find(sid));
  if (!pause) return 'over';
  try {
    if (await settle({ ...deps, settings: await deps.settings() }, pauses, pause, now)) {
      await deps.alarms.resolve(['resume_failed']);
      return 'over';
    }
  } catch (error) {
    const overdue = pause.dueAt !== undefined && now - pause.dueAt.getTime() > overdueMs;
    if (overdue) await deps.alarms.raise('resume_failed', undefined, errorCode(error));
    if (!isRetryable(error)) throw error;
    // The job does not fail, because the queue's delays between tries grow and the call would wait for them.
    deps.log.warn({ conference: sid, code: errorCode(error) }, 'the host could not look at a paused call');
  }
  await deps.queue.send(
    recorderJobs.watchPause,
    { conferenceSid: sid },
    { startAfterMs: deps.lookMs ?? lookMs },
  );
  return 'lasts';
}

/** @returns true if the pause is over */
async function settle(deps: LookDeps, pauses: Pauses, pause: Pause, now: number): Promise<boolean> {
  const { twilio, settings, log } = deps;
  const { conferenceSid, taskSid } = pause;
  const conference = await twilio.liveConference(conferenceSid);
  const end = conference ? await reasonToEnd(deps, pause, now) : 'over';
  if (!end) {
    // Audio that must not be recorded must not be streamed to the vendor of voice biometrics either.
    if (conference) await stopStreams(twilio, conference);
    if (!conference || !(await pauseNewcomers(deps, pauses, pause, conference))) return false;
    const current = lasting(await pauses.find(conferenceSid));
    if (current)
      return current.lastAt.getTime() === pause.lastAt.getTime() ? false : settle(deps, pauses, current, now);
    // Another look ended the pause meanwhile: recordings that this look has paused since would stay paused.
    await setPaused(twilio, conference, 'recording');
    return true;
  }
  // The mark is removed first: a pause that begins while we resume then sets its own mark and makes its own report.
  const newer = await clearMark(deps, pause, now);
  if (newer !== undefined && conference && settings.enabled) {
    // The newer pause's report has not arrived yet, or is lost.
    await pauses.paused({ conferenceSid, taskSid, at: new Date(newer) }, [], dueOf(settings, newer));
    return false;
  }
  const resumed = conference ? await setPaused(twilio, conference, 'recording') : [];
  if (await pauses.end(pause, end)) {
    log.info({ conference: conferenceSid, by: end, recordings: resumed.length }, 'a pause has ended');
    if (end === 'timer') await noteResumed(deps, pauses, pause, conference, now);
    return true;
  }
  const current = lasting(await pauses.find(conferenceSid));
  if (!current) return true;
  // A newer report arrived while we resumed: if it was of a pause, the call must be paused; otherwise the next look ends
  // it.
  if (conference && current.dueBy === 'timer')
    await setPaused(twilio, conference, 'paused', settings.behavior);
  return false;
}

/**
 * Says to the sessions that the host resumed the call: of all other ends they learn by a report, or by the end of the interaction. The
 * pause is over by then, so an error is only logged.
 */
async function noteResumed(
  deps: LookDeps,
  pauses: Pauses,
  { conferenceSid, taskSid, lastAt }: Pause,
  conference: TwilioLiveConference | undefined,
  now: number,
): Promise<void> {
  try {
    const workerSid = await pauses.reporter(conferenceSid, taskSid);
    const id = `timer/${conferenceSid}/${lastAt.getTime()}`;
    await addToInbox(deps, { id, kind: 'resumed', at: now, taskSid, workerSid, conference });
  } catch (error) {
    deps.log.warn(
      { conference: conferenceSid, code: errorCode(error) },
      'the end of a pause did not reach the inbox: its session shows the pause until the interaction ends',
    );
  }
}

async function reasonToEnd(
  { twilio, settings }: LookDeps,
  pause: Pause,
  now: number,
): Promise<PauseEnd | undefined> {
  if (!settings.enabled) return 'timer';
  if (pause.dueBy !== 'timer' || (pause.dueAt && pause.dueAt.getTime() <= now)) return pause.dueBy;
  const task = await twilio.taskState(pause.taskSid);
  if (!task) return 'wrap-up';
  return handedIn.includes(task.status) && !task.accepted ? 'wrap-up' : undefined;
}

/**
 * Pauses the recordings of legs that joined later, for example by a transfer.
 * @returns whether any was paused
 */
async function pauseNewcomers(
  { twilio, settings, log }: LookDeps,
  pauses: Pauses,
  pause: Pause,
  conference: LiveConference,
): Promise<boolean> {
  const known = new Set<string>(pause.recordings);
  const newOnly: typeof twilio.recordingsOf = async (place) =>
    (await twilio.recordingsOf(place)).filter(({ recordingSid }) => !known.has(recordingSid));
  const changed = await setPaused(
    { recordingsOf: newOnly, changeRecording: twilio.changeRecording },
    conference,
    'paused',
    settings.behavior,
  );
  if (changed.length === 0) return false;
  const sids = changed.map(({ recordingSid }) => recordingSid);
  await pauses.alsoPaused(pause.conferenceSid, sids);
  log.info(
    { conference: pause.conferenceSid, recordings: sids.length },
    'recordings of legs that joined a paused call are paused',
  );
  return true;
}

/**
 * Removes the mark from the task, unless it is of a pause that began later.
 * @returns when the later pause began, epoch ms
 */
async function clearMark({ twilio, log }: LookDeps, pause: Pause, now: number): Promise<number | undefined> {
  const isNewer = (since = 0) => since > pause.lastAt.getTime() && since <= now;
  const { changed, before } = await changeTaskMark(twilio, pause.taskSid, (mark) =>
    isNewer(pausedSince(mark)) ? mark : withoutPause(mark),
  );
  if (changed === 'contended' || changed === 'full')
    log.warn({ task: pause.taskSid, changed }, 'the mark of a pause could not be removed from the task');
  const since = pausedSince(before);
  return isNewer(since) ? since : undefined;
}
