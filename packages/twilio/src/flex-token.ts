import { createHash } from 'node:crypto';
import { asWorkerSid, CustodyError, type WorkerSid } from '@flex-custody/core';
import { type AskIam, createIam, type IamConfig, iamUnavailable, type TokenFacts } from './iam.ts';
import { looksLikeFlexToken } from './token-shape.ts';

/** The holder of a Flex token, as Twilio's IAM states it. */
export interface Viewer {
  identity: string;
  /** Absent for users who are no workers. */
  workerSid?: WorkerSid;
  roles: readonly string[];
}

export interface FlexTokens {
  /**
   * @param beforeAsking called before IAM is asked about a token that it never accepted here; what it throws is the answer
   * @throws CustodyError `token_missing` or `token_malformed` (401), `token_refused` (403: IAM says no),
   *   `iam_unavailable` (503, retryable: IAM gave no answer, or none about the token)
   */
  validate(token: string | undefined, beforeAsking?: () => void): Promise<Viewer>;
}

/** A listener waits for this answer before anything plays. */
export const iamLimitMs = 3_000;

export interface FlexTokenOptions extends IamConfig {
  /** So long IAM is waited for; `iamLimitMs` if not given. */
  timeoutMs?: number;
  /** Epoch ms. */
  now?: () => number;
  /** Twilio's IAM if not given. */
  iam?: AskIam;
}

const goodForMs = 60_000;
const cacheLimit = 2_000;
/** Long enough that repeating a refused token costs nothing; short, since IAM may have refused it by mistake. */
const refusedForMs = 15_000;
const refusedLimit = 10_000;
/** Calls to IAM at once, and how many of them strangers' tokens may have: those that were good before find the rest free. */
const callLimit = 100;
const strangersLimit = 75;

/** Epoch ms of `expiration`, which IAM has sent as a date and as seconds; undefined where it cannot be read. */
function expiryOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number === 'number') return number < 1e11 ? number * 1000 : number;
  const date = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : date;
}

function viewerOf({ identity, worker_sid, roles, expiration }: TokenFacts) {
  if (typeof identity !== 'string' || identity === '') throw iamUnavailable('an answer without identity');
  const viewer: Viewer = {
    identity,
    roles: Array.isArray(roles) ? roles.filter((role): role is string => typeof role === 'string') : [],
  };
  const workerSid = asWorkerSid(worker_sid);
  if (workerSid) viewer.workerSid = workerSid;
  return { viewer, expiresAt: expiryOf(expiration) };
}

/** Keeps the newest `limit` entries and removes the oldest. */
class Memory<T> extends Map<string, T> {
  readonly #limit: number;

  constructor(limit: number) {
    super();
    this.#limit = limit;
  }

  override set(key: string, value: T): this {
    this.delete(key);
    super.set(key, value);
    const [oldest] = this.keys();
    if (this.size > this.#limit && oldest !== undefined) this.delete(oldest);
    return this;
  }
}

/**
 * Validates Flex tokens at Twilio's IAM, within a time limit, once for simultaneous requests. Under the token's hash a
 * good answer is remembered for 60 s at most and never past the token's expiration, and a refusal for 15 s. Tokens that
 * IAM did not accept cannot take all the calls: a part is kept for tokens that were good before.
 */
export function createFlexTokens(options: FlexTokenOptions): FlexTokens {
  const now = options.now ?? Date.now;
  const iam = options.iam ?? createIam(options);
  /** `until`: good without being asked again; `expiresAt`: its holder is no stranger so long. */
  const good = new Memory<{ viewer: Viewer; until: number; expiresAt: number }>(cacheLimit);
  const refused = new Memory<{ error: CustodyError; until: number }>(refusedLimit);
  const underway = new Map<string, Promise<Viewer>>();
  const calls = { all: 0, strangers: 0 };

  const ask = async (token: string, isStranger: boolean): Promise<TokenFacts> => {
    if (calls.all >= callLimit || (isStranger && calls.strangers >= strangersLimit))
      throw iamUnavailable('too many calls are still without an answer');
    calls.all += 1;
    if (isStranger) calls.strangers += 1;
    const limit = options.timeoutMs ?? iamLimitMs;
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), limit);
    try {
      return await iam(token, stop.signal);
    } finally {
      clearTimeout(timer);
      calls.all -= 1;
      if (isStranger) calls.strangers -= 1;
    }
  };

  const validated = async (token: string, hash: string, isStranger: boolean): Promise<Viewer> => {
    try {
      const { viewer, expiresAt } = viewerOf(await ask(token, isStranger));
      const at = now();
      if (expiresAt !== undefined && expiresAt > at)
        good.set(hash, { viewer, until: Math.min(at + goodForMs, expiresAt), expiresAt });
      return viewer;
    } catch (error) {
      if (error instanceof CustodyError && error.code === 'token_refused') {
        good.delete(hash);
        refused.set(hash, { error, until: now() + refusedForMs });
      }
      throw error;
    }
  };

  return {
    async validate(token, beforeAsking) {
      if (token === undefined || token === '') {
        throw new CustodyError('token_missing', 'no Flex token');
      }
      if (!looksLikeFlexToken(token)) {
        throw new CustodyError('token_malformed', 'not the shape of a Flex token');
      }
      const hash = createHash('sha256').update(token).digest('base64');
      const at = now();
      const known = good.get(hash);
      if (known && known.until > at) return known.viewer;
      const said = refused.get(hash);
      if (said && said.until > at) throw said.error;
      const already = underway.get(hash);
      if (already) return already;
      const isStranger = known === undefined || known.expiresAt <= at;
      if (isStranger) beforeAsking?.();
      const call = validated(token, hash, isStranger).finally(() => underway.delete(hash));
      underway.set(hash, call);
      return call;
    },
  };
}
