import {
  isObject,
  type NotRecordedReason,
  notRecordedReasons,
  type ReservationSid,
} from '@flex-custody/core';
import type { Failure } from '../api/call-control';
import type { PauseOverride } from './pause';
import { type KeyValues, stored } from './storage';

/** What this browser knows of one reservation's recording beside the task itself; a refresh keeps it. */
export interface Remembered {
  /** The acceptance carried the recording's options. */
  accepted?: boolean;
  /** The last leg of ours that was seen in the conference; '' where Flex did not know it. */
  leg?: string;
  /** A Function answered once that this leg's call is recorded; after a refresh it is asked again. */
  started?: boolean;
  failure?: NotRecordedReason;
  /** The reason that was last reported to the host. */
  told?: NotRecordedReason;
  pause?: PauseOverride;
}

export interface CallState extends Remembered {
  /** A Function answered this page that the call is recorded: by what Twilio has, not by what was asked for. */
  confirmed?: boolean;
  /** What is being asked of a Function right now. */
  busy?: 'start' | 'pause' | 'resume';
  /** Why the last thing that was asked did not happen, for the agent to read. */
  error?: { asked: 'start' | 'pause' | 'resume'; failure: Failure };
}

/** `undefined` takes a field away. */
export type Patch = { [K in keyof CallState]?: CallState[K] | undefined };

export interface CallStates {
  get(reservation: ReservationSid): CallState;
  set(reservation: ReservationSid, patch: Patch): void;
  /** @returns how to stop listening */
  subscribe(listener: () => void): () => void;
}

const most = 50;
const none: CallState = {};

export function callStates(storage: KeyValues | undefined): CallStates {
  const memory = stored(storage, 'flex_custody.calls', asRemembered);
  const states = new Map<string, CallState>(memory.read());
  const listeners = new Set<() => void>();
  return {
    get: (reservation) => states.get(reservation) ?? none,
    set(reservation, patch) {
      const next = { ...states.get(reservation), ...patch };
      for (const key of Object.keys(next) as (keyof CallState)[]) {
        if (next[key] === undefined) delete next[key];
      }
      // The newest last, so that the oldest is removed first.
      states.delete(reservation);
      states.set(reservation, next as CallState);
      for (const oldest of [...states.keys()].slice(0, Math.max(0, states.size - most)))
        states.delete(oldest);
      memory.write([...states].map(([sid, state]) => [sid, rememberedOf(state)]));
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}

function rememberedOf({ confirmed: _confirmed, busy: _busy, error: _error, ...kept }: CallState): Remembered {
  return kept;
}

function asRemembered(value: unknown): [string, Remembered][] {
  return (Array.isArray(value) ? value : []).flatMap((entry: unknown): [string, Remembered][] => {
    const [sid, found] = Array.isArray(entry) ? entry : [];
    if (typeof sid !== 'string' || !isObject(found)) return [];
    const reason = (key: string) => notRecordedReasons.find((one) => one === found[key]);
    const failure = reason('failure');
    const told = reason('told');
    const pause = asOverride(found['pause']);
    const kept: Remembered = {
      ...(found['accepted'] === true ? { accepted: true } : {}),
      ...(typeof found['leg'] === 'string' ? { leg: found['leg'] } : {}),
      ...(found['started'] === true ? { started: true } : {}),
      ...(failure ? { failure } : {}),
      ...(told ? { told } : {}),
      ...(pause ? { pause } : {}),
    };
    return [[sid, kept]];
  });
}

function asOverride(value: unknown): PauseOverride | undefined {
  if (!isObject(value)) return undefined;
  const { paused, at, mark } = value;
  const sound =
    typeof paused === 'boolean' && typeof at === 'number' && (mark === null || typeof mark === 'number');
  return sound ? { paused, at, mark } : undefined;
}
