import type { TaskMark } from './wire/task-mark.ts';

/**
 * What "paused" means. A call is paused while the mark in its task's attributes says so: all desktops, the Functions and
 * the host read it there, and it follows a transfer. Twilio does not state of a live recording whether it is paused, so
 * recordings are set and never asked. Where the task does not have the mark (yet), two things count beside it: for the host
 * a pause that was reported and has not ended, for a desktop what a Function answered to its own request.
 */
export type PauseState = 'paused' | 'recording';

/** The kind of the report that a call is in a state now. */
export const reportKindOf = { paused: 'paused', recording: 'resumed' } as const;

/** Epoch ms since when the call is paused; undefined where it is not. */
export const pausedSince = (mark: TaskMark): number | undefined => mark.paused?.since;

export const isPaused = (mark: TaskMark): boolean => mark.paused !== undefined;

/** The mark with a pause in it; one that is there keeps its beginning, and who began it. */
export const withPause = (mark: TaskMark, pause: NonNullable<TaskMark['paused']>): TaskMark =>
  isPaused(mark) ? mark : { ...mark, paused: pause };

/** The mark without a pause; the same object where there is none. */
export function withoutPause(mark: TaskMark): TaskMark {
  if (!isPaused(mark)) return mark;
  const { paused: _, ...rest } = mark;
  return rest;
}
