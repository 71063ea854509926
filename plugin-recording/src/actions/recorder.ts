import { type NotRecordedReason, pausedSince, readTaskMark } from '@flex-custody/core';
import type { Call } from '../state/call';
import { confirmations, lookAfterMs, type RecorderMeans, wantOf } from './confirm';
import type { Plan } from './plan';
import { doubleReport, joinedReport, pauseReport } from './reports';

/** Everything that is done to a call's recording once the call is accepted. No method throws or rejects. */
export interface Recorder {
  accepted(call: Call): void;
  notRecorded(call: Call, reason: NotRecordedReason): void;
  doubled(call: Call): void;
  /**
   * This worker's leg has joined, or was there when the page was loaded: reports it to the host, asks Twilio seconds later what
   * it records, starts what is missing, and pauses what is paused.
   */
  joined(call: Call): Promise<void>;
  start(call: Call): Promise<void>;
  pause(call: Call): Promise<void>;
  resume(call: Call): Promise<void>;
}

export function recorder(means: RecorderMeans): Recorder {
  const { control, states, policy, reports, stamp, log } = means;
  const { confirm, failed, isPaused, notRecorded, persist, ...known } = confirmations(means);

  /** The agent's own click. */
  const start = async (call: Call): Promise<boolean> => {
    const sid = call.reservationSid;
    if (!control || states.get(sid).busy) return false;
    states.set(sid, { busy: 'start', error: undefined });
    const answer = await control.start(call, { want: 'leg', expected: false, paused: isPaused(call) });
    if (answer.ok) {
      states.set(sid, { busy: undefined });
      known.recorded(call, 'leg', answer.value);
      return true;
    }
    states.set(sid, { busy: undefined, error: { asked: 'start', failure: answer.failure } });
    failed(call, answer.failure);
    return false;
  };

  /** Twilio says that nothing is recorded, whatever was shown: has it started. @returns true where it then is */
  const madeGood = async (call: Call, asked: 'pause' | 'resume'): Promise<boolean> => {
    const sid = call.reservationSid;
    const want = wantOf(means.plan(call), states.get(sid));
    if (asked === 'pause') known.silent.add(sid);
    try {
      states.set(sid, { confirmed: undefined });
      if (!known.isAsking(call)) notRecorded(call, 'start-failed');
      return want !== undefined && (await confirm(call, want, { expected: false, afterMs: 0 }));
    } finally {
      known.silent.delete(sid);
    }
  };

  const change = async (call: Call, asked: 'pause' | 'resume', byItself = false): Promise<void> => {
    const sid = call.reservationSid;
    if (!control || states.get(sid).busy) return;
    states.set(sid, { busy: asked, error: undefined });
    let answer = byItself ? await persist(call, control[asked]) : await control[asked](call);
    if (!byItself && !answer.ok && answer.failure === 'nothing_recorded' && (await madeGood(call, asked)))
      answer = await persist(means.again(call) ?? call, control[asked]);
    if (!answer.ok) {
      const { failure } = answer;
      log('the recording could not be paused or resumed', { asked, failure, reservation: sid });
      if (failure === 'pause_disabled') policy.disable();
      if (failure === 'nothing_recorded' && !known.isAsking(call)) {
        states.set(sid, { confirmed: undefined });
        notRecorded(call, 'start-failed');
      }
      // "Still recording" would be wrong where nothing is: the indicator says that.
      const unrecorded = states.get(sid).failure !== undefined;
      states.set(sid, { busy: undefined, error: unrecorded ? undefined : { asked, failure } });
      if (byItself && !unrecorded) means.alert('follow', failure);
      return;
    }
    const { state, since, reported } = answer.value;
    const paused = state === 'paused';
    const at = (paused ? since : undefined) ?? stamp.now();
    const now = means.again(call) ?? call;
    // The mark from before the request: Flex may have updated the task before the Function answered.
    const mark = pausedSince(readTaskMark(call.attributes)) ?? null;
    states.set(sid, { busy: undefined, pause: { paused, at, mark } });
    if (reported || !reports) return;
    const report = pauseReport(stamp, now, answer.value);
    if (report) reports.add(report);
    else log('a pause cannot be reported: its conference is not known', { reservation: sid });
  };

  /** A recording's trouble ends here, in the log. */
  const safely =
    (what: string, run: (call: Call) => Promise<void>) =>
    async (call: Call): Promise<void> => {
      try {
        await run(call);
      } catch (error) {
        log(`${what} failed`, { error, reservation: call.reservationSid });
        states.set(call.reservationSid, { busy: undefined });
      }
    };

  const joined = async (call: Call): Promise<void> => {
    void policy.refresh();
    const sid = call.reservationSid;
    const plan = means.plan(call);
    const before = states.get(sid);
    const seen = before.leg !== undefined && (!call.leg || before.leg === '' || before.leg === call.leg);
    if (call.leg || before.leg === undefined) states.set(sid, { leg: call.leg ?? '' });
    if (!seen) reports?.add(joinedReport(stamp, call));
    const want = wantOf(plan, before);
    if (!want) return;
    const byAcceptance = before.leg === undefined && before.accepted === true && startsWithIt(plan);
    const expected = seen || byAcceptance || want === 'conference';
    const confirming = confirm(call, want, { expected, afterMs: expected && !seen ? lookAfterMs : 0 });
    // What is to stay off the record does not wait for that.
    const follows = !seen && isPaused(call);
    if (follows && byAcceptance) await change(call, 'pause', true);
    const recorded = await confirming;
    const now = means.again(call) ?? call;
    if (follows && !byAcceptance && recorded && isPaused(now)) await change(now, 'pause', true);
  };

  return {
    accepted: (call) => states.set(call.reservationSid, { accepted: true, failure: undefined }),
    notRecorded,
    doubled: (call) => reports?.add(doubleReport(stamp, call)),
    joined: safely('looking after a leg that joined', joined),
    start: safely('starting', async (call) => {
      const begun = await start(call);
      if (begun && isPaused(means.again(call) ?? call)) await change(call, 'pause', true);
    }),
    pause: safely('pausing', (call) => change(call, 'pause')),
    resume: safely('resuming', (call) => change(call, 'resume')),
  };
}

const startsWithIt = (plan: Plan): boolean => plan.record && plan.start === 'accept';
