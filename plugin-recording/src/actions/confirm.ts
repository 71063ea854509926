import {
  type NotRecordedReason,
  type ReservationSid,
  readTaskMark,
  type StartRecordingAnswer,
  type WantedRecording,
} from '@flex-custody/core';
import type { Answer, CallControl, Failure } from '../api/call-control';
import type { Log } from '../log';
import type { Call } from '../state/call';
import type { CallState, CallStates } from '../state/call-states';
import { pauseOf } from '../state/pause';
import type { PausePolicy } from '../state/pause-settings';
import type { ReportQueue } from '../state/report-queue';
import type { Plan } from './plan';
import { notRecordedReport, type Stamp } from './reports';

export interface RecorderMeans {
  /** Undefined without a Functions' URL. */
  control: CallControl | undefined;
  states: CallStates;
  policy: PausePolicy;
  /** Undefined without a host. */
  reports: ReportQueue | undefined;
  plan(call: Call): Plan;
  /** The same call as it is now; undefined once Flex no longer has the task. */
  again(call: Call): Call | undefined;
  stamp: Stamp;
  sleep(ms: number): Promise<void>;
  /** Shown to the agent wherever he looks: something that he must know of did not happen. */
  alert(what: 'start' | 'follow', failure: Failure): void;
  log: Log;
}

export interface Look {
  expected: boolean;
  afterMs: number;
}

/** What is known of a call's recording: by what Twilio has, as the Functions answer it. */
export interface Confirmations {
  /**
   * Asks what Twilio records of the call, and has started what is missing; until it answered nothing counts as recorded.
   * A second asker gets the first one's answer.
   * @param look `expected`: it was asked for before; `afterMs`: not at once
   * @returns true where it is recorded
   */
  confirm(call: Call, want: WantedRecording, look: Look): Promise<boolean>;
  isAsking(call: Call): boolean;
  /** While nothing is recorded of it: what is started is paused at once. */
  readonly silent: Set<ReservationSid>;
  isPaused(call: Call): boolean;
  /** Asks until it is done, it cannot be done, or the call has ended. */
  persist<T>(call: Call, ask: (call: Call) => Promise<Answer<T>>): Promise<Answer<T>>;
  recorded(call: Call, want: WantedRecording, answer: StartRecordingAnswer): void;
  notRecorded(call: Call, reason: NotRecordedReason): void;
  failed(call: Call, failure: Failure): void;
}

/** How long after a leg joined Twilio is asked for the recording that was asked for with the acceptance, ms. */
export const lookAfterMs = 2_000;

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

export function confirmations(means: RecorderMeans): Confirmations {
  const { control, states, policy, reports, stamp, log } = means;

  const notRecorded = (call: Call, reason: NotRecordedReason): void => {
    // The plan says again after a refresh what a rule says; an accident has to be remembered.
    const accident = reason === 'accept-failed' || reason === 'start-failed' || reason === 'host-unreachable';
    const failure = accident || reason === 'unexpected' ? reason : undefined;
    const { told } = states.get(call.reservationSid);
    states.set(call.reservationSid, { failure, told: reason });
    if (told !== reason) reports?.add(notRecordedReport(stamp, call, reason));
  };

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

  const asking = new Map<string, Promise<boolean>>();
  const silent = new Set<ReservationSid>();

  const confirm = (call: Call, want: WantedRecording, look: Look): Promise<boolean> => {
    const key = keyOf(call);
    const running = asking.get(key) ?? safely(call, want, look).finally(() => asking.delete(key));
    asking.set(key, running);
    return running;
  };

  const safely: typeof confirmed = async (call, want, look) => {
    try {
      return await confirmed(call, want, look);
    } catch (error) {
      log('asking for the recording failed', { error, reservation: call.reservationSid });
      failed(call, 'unexpected');
      return false;
    }
  };

  const confirmed = async (
    call: Call,
    want: WantedRecording,
    { expected, afterMs }: Look,
  ): Promise<boolean> => {
    if (!control) return false;
    const sid = call.reservationSid;
    states.set(sid, { confirmed: undefined, failure: undefined });
    if (afterMs > 0) await means.sleep(afterMs);
    const now = afterMs > 0 ? means.again(call) : call;
    if (!now?.live) return false;
    let before = expected;
    const answer = await persist(now, (seen) => {
      const options = { want, expected: before, paused: silent.has(sid) || isPaused(seen) };
      // The attempt may have started it, though no answer came.
      before = true;
      return control.start(seen, options);
    });
    if (answer.ok) {
      recorded(call, want, answer.value);
      return true;
    }
    const isLive = means.again(call)?.live === true;
    // Over before Twilio was asked: what the acceptance had recorded is recorded.
    if (expected && !isLive) return false;
    failed(call, answer.failure);
    // No button was clicked: the agent may be looking anywhere.
    if (isLive) means.alert('start', answer.failure);
    return false;
  };

  const recorded = (call: Call, want: WantedRecording, answer: StartRecordingAnswer): void => {
    states.set(call.reservationSid, { confirmed: true, started: true, failure: undefined });
    if (want === 'conference' && answer.of === 'leg')
      log("Flex's own recording of the conference is missing; the leg is recorded", {
        reservation: call.reservationSid,
      });
  };

  const failed = (call: Call, failure: Failure): void => {
    log('the recording could not be started', { failure, reservation: call.reservationSid });
    states.set(call.reservationSid, { started: undefined });
    notRecorded(call, failure === 'timeout' || failure === 'offline' ? 'host-unreachable' : 'start-failed');
  };

  const isPaused = (call: Call): boolean =>
    pauseOf(
      readTaskMark(call.attributes),
      states.get(call.reservationSid).pause,
      stamp.now(),
      policy.current.resumeAfterSeconds,
    ) !== undefined;

  return {
    confirm,
    isAsking: (call) => asking.has(keyOf(call)),
    silent,
    isPaused,
    persist,
    recorded,
    notRecorded,
    failed,
  };
}

/** Who joins again has another leg. */
const keyOf = ({ reservationSid, leg }: Call): string => `${reservationSid} ${leg ?? ''}`;

/**
 * What of the call must be recorded; undefined where this desktop has nothing to ask for: by rule, on demand, and on the
 * called side of a call between agents. What was started on demand is asked for whether or not the task could be marked.
 */
export function wantOf(plan: Plan, { started }: CallState): WantedRecording | undefined {
  if (!plan.record) return started ? 'leg' : undefined;
  if (plan.leg) return 'leg';
  return plan.conference ? 'conference' : undefined;
}
