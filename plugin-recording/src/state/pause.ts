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
 * Whether a call is paused now. The task's mark decides; our own state counts where it is newer, and where the task could
 * not take the mark.
 * @param resumeAfterSeconds after so long the host resumes the recording, which an unmarked task does not show
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
  // To show "paused" while Twilio records would be the worse mistake.
  if (resumeAfterSeconds > 0 && now >= override.at + resumeAfterSeconds * 1000) return undefined;
  return { since: override.at };
}
