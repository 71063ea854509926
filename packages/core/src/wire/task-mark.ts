import type { JsonEdit } from '../json-edit.ts';
import { isObject } from '../json-fields.ts';
import { asWorkerSid, type WorkerSid } from '../sids.ts';

/** Key of our own state of a live call in the task's attributes, where it survives a refresh and follows a transfer. */
export const taskMarkKey = 'flex_custody';

/** What every reader of the task may know of its recording: written by the Functions and the host, never by a browser. */
export interface TaskMark {
  /** Present while the recording is paused. */
  paused?: {
    /** Epoch ms. */
    since: number;
    by: WorkerSid;
  };
  /** Epoch ms of a recording that was started on demand, or because the acceptance could not start it. */
  started?: number;
}

/** The mark in a task's attributes; empty where there is none, or none that can be read. */
export function readTaskMark(attributes: unknown): TaskMark {
  const found = isObject(attributes) ? attributes[taskMarkKey] : undefined;
  if (!isObject(found)) return {};
  const mark: TaskMark = {};
  const paused = isObject(found['paused']) ? found['paused'] : undefined;
  const by = asWorkerSid(paused?.['by']);
  if (paused && typeof paused['since'] === 'number' && by) mark.paused = { since: paused['since'], by };
  if (typeof found['started'] === 'number') mark.started = found['started'];
  return mark;
}

/** The edit that sets the mark in a task's attributes; an empty mark leaves none behind. */
export function withTaskMark(mark: TaskMark): JsonEdit {
  const empty = mark.paused === undefined && mark.started === undefined;
  return { path: [taskMarkKey], value: empty ? undefined : mark };
}
