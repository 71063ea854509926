import { pausedSince, type TaskMark } from '@flex-custody/core';

/** What a Function answered to our own pause or resume, until the task says so too. */
export interface PauseOverride {
  paused: boolean;
  /** Epoch ms of the pause, or of the resumption. */
  at: number;
  /** What the task said when we asked (`paused.since`); once it says something else, the task is right again. */
  mark: number | null;
}

export interface Pause {
  /** Epoch ms. */
  since: number;
}

/**
 * Whether a call is paused now. The task's mark is the truth; ours stands in where it is newer, and where the task could
 * not take the mark.
 * @param resumeAfterSeconds after so long the host resumes by itself, of which an unmarked task will not tell us
 */
export function pauseOf(
  mark: TaskMark,
  override: PauseOverride | undefined,
  now: number,
  resumeAfterSeconds: number,
): Pause | undefined {
  const marked = pausedSince(mark) ?? null;
  if (!override || override.mark !== marked) return marked === null ? undefined : { since: marked };
  if (!override.paused) return undefined;
  // To believe in silence where there is none would be the worse mistake.
  if (resumeAfterSeconds > 0 && now >= override.at + resumeAfterSeconds * 1000) return undefined;
  return { since: override.at };
}
