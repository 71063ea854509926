import { asWorkerSid, type WorkerSid } from '@flex-custody/core';
import { type ITask, type Manager, StateHelper, TaskHelper } from '@twilio/flex-ui';
import { type Call, callOf } from '../state/call';

/** Reads Flex's store at each call and keeps nothing. */
export interface FlexState {
  token(): string;
  workerSid(): WorkerSid | undefined;
  isAdmin(): boolean;
  accountSid(): string;
  /** Flex's own recording switch. */
  flexRecords(): boolean;
  strings(): Readonly<Record<string, unknown>>;
  /** The call of a task, read from Flex's store; undefined where the task is not a voice call. */
  call(task: ITask): Call | undefined;
  /** The task that an action's payload names, as an object or by its SID. */
  taskOf(payload: { task?: unknown; sid?: unknown }): ITask | undefined;
  /** The calls of this worker's own tasks. */
  calls(): Call[];
  /** Those of the call's conference, empty where Flex's store has none. */
  participantsOf(call: Call): readonly unknown[];
}

export function flexState(manager: Manager): FlexState {
  const tasks = () => manager.store.getState().flex.worker.tasks;

  const ownNames = (): string[] => {
    const { workerClient } = manager;
    const { identity } = manager.user;
    return [workerClient?.sid, workerClient?.name, identity, decoded(identity)].filter(isText);
  };
  /** As a supervisor's list of workers has them. */
  const namesOf = (workerSid: unknown): string[] => {
    const workers = manager.store.getState().flex.supervisor?.workers ?? [];
    const worker = workers.find((one) => one.worker?.sid === workerSid)?.worker;
    return [workerSid, worker?.name].filter(isText);
  };
  const conferenceOf = (taskSid: string) =>
    manager.store.getState().flex.conferences?.states.get(taskSid)?.source;
  const call = (task: ITask): Call | undefined => {
    const fresh = tasks().get(task.sid);
    const own = fresh !== undefined;
    const seen = fresh ?? task;
    if (!TaskHelper.isCallTask(seen)) return undefined;
    const phone = StateHelper.getCurrentPhoneCallState();
    const conference = conferenceOf(seen.taskSid);
    return callOf(seen, {
      own,
      workers: own ? ownNames() : namesOf(seen.workerSid),
      conference,
      ...(phone ? { phone: { callSid: phone.parameters?.['CallSid'] } } : {}),
    });
  };
  return {
    token: () => manager.user.token,
    workerSid: () => asWorkerSid(manager.workerClient?.sid),
    isAdmin: () => manager.user.roles.includes('admin'),
    accountSid: () => manager.serviceConfiguration.account_sid,
    flexRecords: () => manager.serviceConfiguration.call_recording_enabled === true,
    strings: () => manager.strings as unknown as Readonly<Record<string, unknown>>,
    call,
    taskOf({ task, sid }) {
      if (isTask(task)) return task;
      return isText(sid) ? (tasks().get(sid) ?? TaskHelper.getTaskByTaskSid(sid)) : undefined;
    },
    calls: () => [...tasks().values()].flatMap((task) => call(task) ?? []),
    participantsOf: ({ taskSid }) => conferenceOf(taskSid)?.participants ?? [],
  };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isTask = (value: unknown): value is ITask =>
  typeof value === 'object' && value !== null && isText((value as { sid?: unknown }).sid);

/** Flex writes identities as client addresses take them: `agent_40example_2Ecom`. */
function decoded(identity: string): string | undefined {
  try {
    return decodeURIComponent(identity.replace(/_([0-9A-F]{2})/g, '%$1'));
  } catch {
    return undefined;
  }
}
