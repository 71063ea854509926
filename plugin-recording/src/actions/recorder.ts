import { type NotRecordedReason, readTaskMark } from '@flex-custody/core';
import type { Answer, CallControl, Failure } from '../api/call-control';
import type { Log } from '../log';
import type { Call } from '../state/call';
import type { CallStates } from '../state/call-states';
import { pauseOf } from '../state/pause';
import type { PausePolicy } from '../state/pause-settings';
import type { ReportQueue } from '../state/report-queue';
import type { Plan } from './plan';
import { doubleReport, notRecordedReport, pauseReport, type Stamp } from './reports';

export interface RecorderMeans {
  /** Undefined without a Functions' URL. */
  control: CallControl | undefined;
  states: CallStates;
  policy: PausePolicy;
  /** Undefined without a host. */
  reports: ReportQueue | undefined;
  plan(call: Call): Plan;
  /** The same call as it stands now; undefined once the task is gone. */
  again(call: Call): Call | undefined;
  stamp: Stamp;
  sleep(ms: number): Promise<void>;
  /** Shown to the agent wherever he looks: something that he must know of did not happen. */
  alert(what: 'start' | 'follow', failure: Failure): void;
  log: Log;
}

/** Everything that is done to a call's recording once the call is accepted. No method throws or rejects. */
export interface Recorder {
  accepted(call: Call): void;
  notRecorded(call: Call, reason: NotRecordedReason): void;
  doubled(call: Call): void;
  /** This worker's leg has joined: starts what the acceptance could not, and pauses what is paused. */
  joined(call: Call): Promise<void>;
  start(call: Call): Promise<void>;
  pause(call: Call): Promise<void>;
  resume(call: Call): Promise<void>;
}

/** Between attempts, in ms: Twilio's API may see a leg some moments later than Flex does. */
export const retryDelaysMs = [1_500, 3_000, 6_000];

const worthRetrying: ReadonlySet<Failure> = new Set<Failure>([
  'call_not_live',
  'nothing_recorded',
  'not_your_call',
  'iam_unavailable',
  'twilio_unavailable',
  'twilio_refused',
  'unexpected',
  'timeout',
  'offline',
  'answer_invalid',
]);

export function recorder(means: RecorderMeans): Recorder {
  const { control, states, policy, reports, stamp, log } = means;

  const notRecorded = (call: Call, reason: NotRecordedReason): void => {
    // A rule, or the lack of one, is known anew after a refresh; an accident is not.
    const accident = reason === 'accept-failed' || reason === 'start-failed' || reason === 'host-unreachable';
    const failure = accident || reason === 'unexpected' ? reason : undefined;
    const { told } = states.get(call.reservationSid);
    states.set(call.reservationSid, { failure, told: reason });
    if (told !== reason) reports?.add(notRecordedReport(stamp, call, reason));
  };

  /** Asks until it is done, it cannot be done, or the call has ended. */
  const persist = async <T>(call: Call, ask: (call: Call) => Promise<Answer<T>>): Promise<Answer<T>> => {
    let answer = await ask(call);
    for (const delay of retryDelaysMs) {
      if (answer.ok || !worthRetrying.has(answer.failure)) return answer;
      await means.sleep(delay);
      const now = means.again(call);
      if (!now?.live) return answer;
      answer = await ask(now);
    }
    return answer;
  };

  const start = async (call: Call, byItself: boolean): Promise<boolean> => {
    const sid = call.reservationSid;
    if (!control || states.get(sid).busy) return false;
    states.set(sid, { busy: 'start', error: undefined });
    const answer = byItself ? await persist(call, control.start) : await control.start(call);
    if (answer.ok) {
      states.set(sid, { busy: undefined, started: true, failure: undefined });
      return true;
    }
    const { failure } = answer;
    log('the recording could not be started', { failure, reservation: sid });
    states.set(sid, { busy: undefined, error: { asked: 'start', failure } });
    notRecorded(call, failure === 'timeout' || failure === 'offline' ? 'host-unreachable' : 'start-failed');
    // Who asked looks at the button; what failed by itself must be told wherever the agent looks.
    if (byItself && means.again(call)?.live) means.alert('start', failure);
    return false;
  };

  const change = async (call: Call, asked: 'pause' | 'resume', byItself = false): Promise<void> => {
    const sid = call.reservationSid;
    if (!control || states.get(sid).busy) return;
    states.set(sid, { busy: asked, error: undefined });
    const answer = byItself ? await persist(call, control[asked]) : await control[asked](call);
    if (!answer.ok) {
      const { failure } = answer;
      log('the recording could not be paused or resumed', { asked, failure, reservation: sid });
      if (failure === 'pause_disabled') policy.disable();
      states.set(sid, { busy: undefined, error: { asked, failure } });
      if (byItself) means.alert('follow', failure);
      return;
    }
    const { state, since, reported } = answer.value;
    const paused = state === 'paused';
    const at = (paused ? since : undefined) ?? stamp.now();
    const now = means.again(call) ?? call;
    // The mark as it was before we asked: the task may have told of the change before the Function answered.
    const mark = readTaskMark(call.attributes).paused?.since ?? null;
    states.set(sid, { busy: undefined, pause: { paused, at, mark } });
    if (reported || !reports) return;
    const report = pauseReport(stamp, now, answer.value);
    if (report) reports.add(report);
    else log('a pause cannot be reported: its conference is not known', { reservation: sid });
  };

  const isPaused = (call: Call): boolean =>
    pauseOf(
      readTaskMark(call.attributes),
      states.get(call.reservationSid).pause,
      stamp.now(),
      policy.current.resumeAfterSeconds,
    ) !== undefined;

  return {
    accepted: (call) => states.set(call.reservationSid, { accepted: true, failure: undefined }),
    notRecorded,
    doubled: (call) => reports?.add(doubleReport(stamp, call)),
    async joined(call) {
      void policy.refresh();
      const sid = call.reservationSid;
      const plan = means.plan(call);
      const before = states.get(sid);
      const known = before.leg !== undefined && (!call.leg || before.leg === '' || before.leg === call.leg);
      if (call.leg || before.leg === undefined) states.set(sid, { leg: call.leg ?? '' });
      if (!plan.record || !plan.leg) return;
      if (known) {
        // A refresh. Only what it interrupted is taken up again.
        const begun = before.started || before.failure || readTaskMark(call.attributes).started !== undefined;
        if (plan.start === 'join' && !begun) await start(call, true);
        return;
      }
      const byAcceptance = before.leg === undefined && before.accepted === true && plan.start === 'accept';
      if (!byAcceptance) {
        states.set(sid, { started: undefined });
        if (!(await start(call, true))) return;
      }
      const now = means.again(call) ?? call;
      if (isPaused(now)) await change(now, 'pause', true);
    },
    async start(call) {
      if ((await start(call, false)) && isPaused(means.again(call) ?? call))
        await change(call, 'pause', true);
    },
    pause: (call) => change(call, 'pause'),
    resume: (call) => change(call, 'resume'),
  };
}
