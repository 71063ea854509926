/** `sending`: a request may be under way. `uncertain`: one may have been taken. `dropped`: not to be sent. `failed`: refused, a dead letter. */
export const effectStates = ['waiting', 'sending', 'uncertain', 'sent', 'dropped', 'failed'] as const;
export type EffectState = (typeof effectStates)[number];

/** What a try of a request came to. */
export type TryOutcome =
  | { kind: 'done' }
  /** It was not taken, and may be taken later. */
  | { kind: 'later'; afterMs?: number; status?: number }
  /** It was not taken, for a reason that all requests of the account share. */
  | { kind: 'paused' }
  /** It may have been taken. */
  | { kind: 'unknown' }
  | { kind: 'refused'; code: string; message: string; status?: number }
  /** It is not to be sent. */
  | { kind: 'dropped'; why: string };

export interface Fault {
  code: string;
  message?: string;
  status?: number;
}

/** What a row becomes after a try. */
export interface AfterTry {
  state: Exclude<EffectState, 'sending'>;
  dueInMs: number;
  attempts: number;
  error?: Fault;
}

const firstPauseMs = 1_000;
export const longestPauseMs = 15 * 60_000;

/**
 * Ms until the next try: it doubles to 15 minutes, and between a half and the whole of it is by chance, so that not all come at once.
 * @param attempts tries so far, from 1
 * @param chance from 0 to 1
 */
export function pauseAfter(attempts: number, chance: number, leastMs = 0): number {
  const whole = Math.min(firstPauseMs * 2 ** Math.min(attempts - 1, 20), longestPauseMs);
  return Math.round(Math.max(leastMs, whole * (0.5 + chance / 2)));
}

/**
 * @param attempts tries before this one
 * @param chance from 0 to 1
 */
export function afterTry(outcome: TryOutcome, attempts: number, chance: number): AfterTry {
  const tried = attempts + 1;
  switch (outcome.kind) {
    case 'done':
      return { state: 'sent', dueInMs: 0, attempts: tried };
    case 'unknown':
      return { state: 'uncertain', dueInMs: 0, attempts: tried };
    case 'paused':
      return { state: 'waiting', dueInMs: 0, attempts };
    case 'later': {
      const { afterMs, status } = outcome;
      const error = status === undefined ? undefined : { code: 'later', status };
      const dueInMs = pauseAfter(tried, chance, afterMs);
      return { state: 'waiting', dueInMs, attempts: tried, ...(error && { error }) };
    }
    case 'refused': {
      const { code, message, status } = outcome;
      const error = { code, message, ...(status !== undefined && { status }) };
      return { state: 'failed', dueInMs: 0, attempts: tried, error };
    }
    case 'dropped':
      return { state: 'dropped', dueInMs: 0, attempts, error: { code: outcome.why } };
  }
}

/** Complete looks that have to miss an uncertain effect before it may be sent again. */
export const looksBeforeResend = 3;
/** When to look, as shares of the time after which it may be sent again; the last look is at its end. */
const shares = [0.01, 0.1, 0.5, 1];

/** Ms after the end of the try until the look that follows `looks` looks. */
export function nextLookMs(looks: number, resendAfterMs: number): number {
  const share = shares[looks];
  return share === undefined
    ? resendAfterMs + (looks - shares.length + 1) * longestPauseMs
    : share * resendAfterMs;
}

/**
 * What a look at the other system's events came to for one uncertain effect.
 * @param looks complete looks that missed it, this one included
 * @param sinceMs since the end of its try
 */
export function afterLook(
  look: { isFound: boolean },
  looks: number,
  sinceMs: number,
  resendAfterMs: number,
): 'sent' | 'waiting' | 'uncertain' {
  if (look.isFound) return 'sent';
  return looks >= looksBeforeResend && sinceMs >= resendAfterMs ? 'waiting' : 'uncertain';
}
