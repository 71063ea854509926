import {
  isObject,
  type JsonEdit,
  readTaskMark,
  type TaskAttributes,
  type TaskMark,
  type TaskSid,
  taskAttributesLimit,
  withTaskMark,
} from '@flex-custody/core';
import type { TwilioApi, TwilioTask } from './api.ts';
import { compactJson, editJson } from './json-edit.ts';

/** What shall become of a task's attributes: nothing new, or one of these ways, of which the first that fits is taken. */
export type Change = 'same' | readonly (readonly JsonEdit[])[];

export type Changed = 'written' | 'same' | 'gone' | 'full' | 'unreadable' | 'contended';

/** Writes tried before another writer's persistence is taken as the answer. */
const tries = 6;

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A task's attributes; undefined where their text is no JSON object. */
export function readAttributes(text: string): TaskAttributes | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The attributes' text with a change made; whatever the change does not name stays to the character. Past Twilio's limit
 * the white space between tokens is removed first, and then the next, shorter variant is tried.
 */
function changedText(text: string, ways: readonly (readonly JsonEdit[])[]): string | undefined {
  for (const edits of ways) {
    const whole = editJson(text, edits);
    if (whole.length <= taskAttributesLimit) return whole;
    const compact = compactJson(whole);
    if (compact.length <= taskAttributesLimit) return compact;
  }
  return undefined;
}

/**
 * Changes a task's attributes under `If-Match`, reading and editing again as often as another writer was faster.
 * Attributes that are no JSON object are left as they are: an update replaces them whole.
 * @param merge is asked again with what each reading found
 * @param known the task as it was read a moment ago: `If-Match` finds out if it is no longer so
 * @throws CustodyError as {@link TwilioApi} does
 */
export async function changeTask(
  twilio: Pick<TwilioApi, 'task' | 'updateTask'>,
  sid: TaskSid,
  merge: (attributes: TaskAttributes, task: TwilioTask) => Change,
  wait: (ms: number) => Promise<void> = pause,
  known?: TwilioTask,
): Promise<Changed> {
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    const task = attempt === 1 && known ? known : await twilio.task(sid);
    if (!task) return 'gone';
    const attributes = readAttributes(task.attributes);
    if (!attributes) return 'unreadable';
    const change = merge(attributes, task);
    if (change === 'same') return 'same';
    const text = changedText(task.attributes, change);
    if (text === undefined) return 'full';
    if (text === task.attributes) return 'same';
    const written = await twilio.updateTask(sid, text, task.etag);
    if (written === 'ok') return 'written';
    if (written === 'gone') return 'gone';
    // Full jitter, so that the same two writers do not collide again.
    if (attempt < tries) await wait(Math.random() * Math.min(400, 25 * 2 ** attempt));
  }
  return 'contended';
}

/**
 * Changes our mark in a task's attributes.
 * @param change given the present mark, returns the wanted one; the same object where nothing changes
 * @returns `mark` as it is now; undefined where it could not be read or written
 */
export async function changeTaskMark(
  twilio: Pick<TwilioApi, 'task' | 'updateTask'>,
  sid: TaskSid,
  change: (mark: TaskMark) => TaskMark,
  wait?: (ms: number) => Promise<void>,
): Promise<{ changed: Changed; before: TaskMark; mark?: TaskMark }> {
  let before: TaskMark = {};
  let next: TaskMark = {};
  const merge = (attributes: TaskAttributes): Change => {
    before = readTaskMark(attributes);
    next = change(before);
    return next === before ? 'same' : [[withTaskMark(next)]];
  };
  const changed = await changeTask(twilio, sid, merge, wait);
  return { changed, before, ...(changed === 'written' || changed === 'same' ? { mark: next } : {}) };
}
