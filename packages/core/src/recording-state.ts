/**
 * State of a recording's copy. One table of moves, so that a late or repeated message can never
 * carry a recording backwards.
 *
 *     registered ──lease──▶ copying ──sealed──▶ sealed ──verified──▶ verified
 *         ▲                    │                  │
 *         └──────released──────┘                  │ (bytes in the bucket are not the source's)
 *         └──────────────────rejected─────────────┘
 *     registered, copying, sealed ──gave-up──▶ failed ──replayed────▶ registered
 *                                                     ──reinstated──▶ sealed     (its object is still there)
 *     verified ──disproved──▶ registered       (its audio is not that of Twilio's media; the host copies it again)
 *     sealed, verified ──lost──▶ registered    (the bucket has it no longer, and Twilio still does)
 *     registered ──absent──▶ absent            (Twilio recorded nothing: too short, or silent)
 *     all of them ──erased──▶ erased           (for good: on request, or its time was over)
 */
export const recordingStates = [
  'registered',
  'copying',
  'sealed',
  'verified',
  'failed',
  'absent',
  'erased',
] as const;
export type RecordingState = (typeof recordingStates)[number];

export type RecordingEvent =
  | 'leased'
  | 'released'
  | 'sealed'
  | 'rejected'
  | 'verified'
  | 'gave-up'
  | 'replayed'
  | 'reinstated'
  | 'absent'
  | 'lost'
  | 'disproved'
  | 'erased';

const moves: Readonly<Record<RecordingState, Partial<Record<RecordingEvent, RecordingState>>>> = {
  registered: { leased: 'copying', absent: 'absent', 'gave-up': 'failed', erased: 'erased' },
  copying: {
    leased: 'copying',
    released: 'registered',
    sealed: 'sealed',
    'gave-up': 'failed',
    erased: 'erased',
  },
  sealed: {
    verified: 'verified',
    rejected: 'registered',
    lost: 'registered',
    'gave-up': 'failed',
    erased: 'erased',
  },
  verified: { lost: 'registered', disproved: 'registered', erased: 'erased' },
  failed: { replayed: 'registered', reinstated: 'sealed', erased: 'erased' },
  absent: { erased: 'erased' },
  erased: {},
};

/** The state after `event`, or undefined where the table has no such move. */
export function nextState(state: RecordingState, event: RecordingEvent): RecordingState | undefined {
  return moves[state][event];
}

/** The link to the task: `unlinked` (the task no longer exists), `refused` (the hints were not proven). */
export const linkStates = ['pending', 'linked', 'unlinked', 'refused'] as const;
export type LinkState = (typeof linkStates)[number];

/**
 * That a copy is *proven*: the host itself saw that it is equal to Twilio's media. *Verified*, a state, says less: the
 * object opens and is sound audio of the length and channels that Twilio states.
 */
export interface CopyProof {
  /** ISO 8601. */
  at: string;
  /** The host's name for itself: key id of its signing identity, or the machine's name. */
  host: string;
  /** `copy`: the host read every byte of the media itself when it copied. `second-look`: it read the media again later. */
  by: 'copy' | 'second-look';
  /** `sha256`: the bytes are the same. `samples`: the files differ outside their samples alone. */
  how: 'sha256' | 'samples';
  /** Present where Twilio has two channels and the copy holds one: the copy is equal to Twilio's mono media. */
  mono?: true;
}

/** Facts of a recording that may be known and not proven. */
export const unprovenFacts = ['owner', 'caller', 'direction', 'start'] as const;
export type UnprovenFact = (typeof unprovenFacts)[number];
