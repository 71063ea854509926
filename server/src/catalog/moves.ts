import { nextState, type RecordingEvent, type RecordingState, recordingStates } from '@flex-custody/core';

export interface Move {
  /** States the event may happen in. */
  from: readonly RecordingState[];
  to: RecordingState;
}

/**
 * Core's table of moves read by event, as one SQL statement needs it: `WHERE state = ANY(from)` … `SET state = to`.
 * @throws Error when an event leads to several states, or to none: such a table could not be one statement
 */
export function moveOf(event: RecordingEvent): Move {
  const from = recordingStates.filter((state) => nextState(state, event) !== undefined);
  const targets = new Set(from.map((state) => nextState(state, event)));
  const [to] = targets;
  if (to === undefined || targets.size !== 1)
    throw new Error(`the event ${event} does not lead to one state`);
  return { from, to };
}
