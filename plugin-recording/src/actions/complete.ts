import type { TaskSid } from '@flex-custody/core';
import type { Delivery } from '../api/host';
import type { Log } from '../log';

/** Payload of CompleteTask: a task, or the SID of its reservation. */
export interface CompletePayload {
  task?: unknown;
  sid?: unknown;
}

export interface CompleteDeps {
  /** Undefined where the payload names no task that Flex knows. */
  taskSidOf(payload: CompletePayload): TaskSid | undefined;
  /** Ends within the time-out of a request, and never rejects. */
  send(taskSid: TaskSid): Promise<Delivery>;
  sleep(ms: number): Promise<void>;
  log: Log;
}

export const againMs = 5_000;

/**
 * Listener after the agent completed a task: tells the host which task it was. It returns at once, so that nothing waits for
 * the host. A task that the host does not take in two tries is left out: the host finds it in TaskRouter's history.
 */
export function afterComplete(deps: CompleteDeps): (payload: CompletePayload) => void {
  return (payload) => {
    const taskSid = deps.taskSidOf(payload);
    if (taskSid) void report(deps, taskSid);
  };
}

async function report({ send, sleep, log }: CompleteDeps, taskSid: TaskSid): Promise<void> {
  try {
    let delivery = await send(taskSid);
    if (delivery === 'later') {
      await sleep(againMs);
      delivery = await send(taskSid);
    }
    if (delivery !== 'taken') log('the host did not take a completed task', { task: taskSid, delivery });
  } catch (error) {
    log('reporting a completed task failed', { error });
  }
}
