import { asTaskSid, readFlexSettings } from '@flex-custody/core';
import type { ITask, Manager } from '@twilio/flex-ui';
import { type AcceptDeps, type AcceptPayload, beforeAccept, keptOurOptions } from '../actions/accept';
import { afterComplete, type CompletePayload } from '../actions/complete';
import { afterHold, type HoldDeps, type HoldPayload } from '../actions/hold';
import { type Plan, planFor } from '../actions/plan';
import { type Recorder, recorder } from '../actions/recorder';
import { callControl } from '../api/call-control';
import { host } from '../api/host';
import type { Fetch } from '../api/http';
import { warn } from '../log';
import type { Call } from '../state/call';
import { type CallState, callStates } from '../state/call-states';
import { legWatch } from '../state/leg-watch';
import { once } from '../state/once';
import { pausePolicy } from '../state/pause-settings';
import { reportQueue } from '../state/report-queue';
import { controlsOf, type Status, statusOf } from '../state/status';
import type { KeyValues } from '../state/storage';
import { failureKey, type StringKey } from '../strings/strings';
import { text } from '../strings/text';
import { flexState } from './flex-state';
import { notify } from './notifications';

/** What a component shows of a task. */
export interface View {
  call: Call;
  status: Status | undefined;
  controls: { start: boolean; pause: boolean; resume: boolean };
  state: CallState;
}

export interface Services {
  view(task: ITask): View | undefined;
  text(key: StringKey, values?: Readonly<Record<string, string>>): string;
  recorder: Recorder;
  /** Called whenever a view may have changed. */
  subscribe(listener: () => void): () => void;
  beforeAccept(payload: AcceptPayload): void;
  afterAccept(payload: AcceptPayload): void;
  afterHold(payload: HoldPayload): void;
  afterUnhold(payload: HoldPayload): void;
  /** Undefined where the settings ask for no report of completed tasks. */
  afterComplete: ((payload: CompletePayload) => void) | undefined;
  /** Reports wrong settings, sends waiting reports, and begins to watch calls. */
  begin(): void;
}

const browserFetch: Fetch = (url, init) => window.fetch(url, { ...init, credentials: 'omit' });

/** A browser that forbids storage throws at the very mention of it. */
function storage(which: 'localStorage' | 'sessionStorage'): KeyValues | undefined {
  try {
    return window[which];
  } catch {
    return undefined;
  }
}

export function createServices(manager: Manager): Services {
  const flex = flexState(manager);
  const attributes = manager.serviceConfiguration.ui_attributes as unknown as
    | Readonly<Record<string, unknown>>
    | undefined;
  const { settings, problems } = readFlexSettings(attributes?.['flex_custody']);
  const now = () => Date.now();
  const stamp = { id: () => window.crypto.randomUUID(), now };
  const doneOnce = once(storage('localStorage'), flex.accountSid());
  const states = callStates(storage('sessionStorage'));
  const hostApi = settings.hostUrl ? host(settings.hostUrl, flex.token, browserFetch) : undefined;
  const policy = pausePolicy(async () => hostApi?.pauseSettings(), now);
  const reports = hostApi
    ? reportQueue({
        storage: storage('localStorage'),
        worker: flex.workerSid,
        send: hostApi.report,
        later: (ms, then) => {
          window.setTimeout(then, ms);
        },
        log: warn,
      })
    : undefined;
  const plan = (call: Call): Plan => planFor(settings, flex.flexRecords(), call);
  const say: Services['text'] = (key, values) => text(flex.strings(), key, values);
  const sleep = (ms: number) => new Promise<void>((resolve) => window.setTimeout(resolve, ms));
  const work = recorder({
    control: settings.functionsUrl ? callControl(settings.functionsUrl, flex.token, browserFetch) : undefined,
    states,
    policy,
    reports,
    plan,
    again: (call) => flex.calls().find((one) => one.reservationSid === call.reservationSid),
    stamp,
    sleep,
    alert: (what, failure) => notify(manager, `FlexCustodyAlert_${what}`, { why: say(failureKey(failure)) }),
    log: warn,
  });
  const warnOfDouble = (): void => {
    if (flex.isAdmin() && doneOnce.first('double-shown')) notify(manager, 'FlexCustodyAlert_double');
  };
  const callOf = (payload: { task?: unknown; sid?: unknown }): Call | undefined => {
    const task = flex.taskOf(payload);
    return task && flex.call(task);
  };
  const holdDeps: HoldDeps = { callOf, participantsOf: flex.participantsOf, reports, stamp, log: warn };
  const acceptDeps: AcceptDeps = {
    settings,
    flexRecords: flex.flexRecords,
    callOf,
    accepted: work.accepted,
    notRecorded: work.notRecorded,
    doubled(call) {
      if (doneOnce.first('double-reported')) work.doubled(call);
      warnOfDouble();
    },
    log: warn,
  };
  const watch = legWatch((call) => void work.joined(call));
  /** A callback of ours must not throw into Flex: the desktop must keep working without the plugin. */
  const guarded =
    <A extends readonly unknown[], R>(what: string, run: (...given: A) => R) =>
    (...given: A): R | undefined => {
      try {
        return run(...given);
      } catch (error) {
        warn(`${what} failed`, { error });
        return undefined;
      }
    };

  return {
    view: guarded('looking at a call', (task: ITask) => {
      const call = flex.call(task);
      if (!call) return undefined;
      const state = states.get(call.reservationSid);
      const status = statusOf(plan(call), call, state, now(), policy.current.resumeAfterSeconds);
      return { call, state, status, controls: controlsOf(status, call, policy.current.enabled) };
    }),
    text: say,
    recorder: work,
    subscribe(listener) {
      const ends = [
        manager.store.subscribe(listener),
        states.subscribe(listener),
        policy.subscribe(listener),
      ];
      return () => {
        for (const end of ends) end();
      };
    },
    beforeAccept: beforeAccept(acceptDeps),
    afterAccept: guarded('looking after an acceptance', (payload: AcceptPayload) => {
      const call = acceptDeps.callOf(payload);
      if (!call || !states.get(call.reservationSid).accepted || keptOurOptions(payload)) return;
      warn('another plugin took the recording out of the acceptance', { reservation: call.reservationSid });
      // Once the leg has joined, it is asked for in the other way.
      states.set(call.reservationSid, { accepted: undefined });
    }),
    afterHold: guarded('reporting a hold', afterHold(holdDeps, 'held')),
    afterUnhold: guarded('reporting the end of a hold', afterHold(holdDeps, 'unheld')),
    afterComplete:
      settings.connector && hostApi
        ? guarded(
            'reporting a completed task',
            afterComplete({
              taskSidOf: (payload) => asTaskSid(flex.taskOf(payload)?.taskSid),
              send: hostApi.completed,
              ...{ sleep, log: warn },
            }),
          )
        : undefined,
    begin() {
      for (const { path, must } of problems) warn(`setting flex_custody: ${path} must ${must}`);
      if (problems.length > 0 && flex.isAdmin()) {
        notify(manager, 'FlexCustodyAlert_settings', {
          problems: problems.map(({ path }) => path).join(', '),
        });
      }
      if (settings.recording.mode === 'ours' && flex.flexRecords()) warnOfDouble();
      void policy.refresh();
      void reports?.flush();
      const look = guarded('watching the calls', () => watch(flex.calls()));
      manager.store.subscribe(look);
      look();
    },
  };
}
