import { nextState, type RecordingEvent, type RecordingState, recordingStates } from '@flex-custody/core';

export interface Move {
  /** States in which the event may happen. */
  from: readonly RecordingState[];
  to: RecordingState;
}

/**
 * One event of core's table of moves, in the form that one SQL statement needs: `WHERE state = ANY(from)` … `SET state =
 * to`.
 * @throws Error if an event leads to several states, or to none: one statement could not express that
 */
export function moveOf(event: RecordingEvent): Move {
  const from = recordingStates.filter((state) => nextState(state, event) !== undefined);
  const targets = new Set(from.map((state) => nextState(state, event)));
  const [to] = targets;
  if (to === undefined || targets.size !== 1)
    throw new Error(`the event ${event} does not lead to one state`);
  return { from, to };
}
