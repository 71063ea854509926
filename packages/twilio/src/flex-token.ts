import { createHash } from 'node:crypto';
import { type AccountSid, asWorkerSid, CustodyError, type WorkerSid } from '@flex-custody/core';
import { validator } from 'twilio-flex-token-validator';

/** Who holds a Flex token, as Twilio's IAM vouches for it. */
export interface Viewer {
  identity: string;
  /** Absent for users who are no workers. */
  workerSid?: WorkerSid;
  roles: readonly string[];
}

export interface FlexTokens {
  /**
   * @throws CustodyError `token_missing` or `token_malformed` (401), `token_refused` (403: IAM says no),
   *   `iam_unavailable` (503, retryable: IAM gave no answer, or none about the token)
   */
  validate(token: string | undefined): Promise<Viewer>;
}

/** A listener waits for this answer before anything plays. */
export const iamLimitMs = 3_000;

export interface FlexTokenOptions {
  accountSid: AccountSid;
  authToken?: string | undefined;
  /** Used where there is no auth token. */
  apiKey?: { sid: string; secret: string } | undefined;
  /** Twilio region of the account, as in `iam.<realm>.twilio.com`. */
  realm?: string | undefined;
  /** So long IAM is waited for; `iamLimitMs` if not given. */
  timeoutMs?: number;
  /** Epoch ms. */
  now?: () => number;
}

const goodForMs = 60_000;
const cacheLimit = 2_000;
// The validator cannot be told to stop, so a hanging IAM keeps a socket for each token that was tried.
const callLimit = 100;
// ASCII only: the validator counts characters where it should count bytes.
const shape = /^[A-Za-z0-9_.\-=]{20,65536}$/;

/** What the validator says when the answer is about IAM or about us rather than about the token. */
const errno = /\bE[A-Z_]{4,}\b/;
const outage =
  /unexpected (token|end|non-whitespace)|not valid json|socket|timed? ?out|certificate|self.signed|\bssl\b|\btls\b|internal|gateway|unavailable|too many|authenticat|requested resource|provided$|network/i;

const unavailable = (detail: string): CustodyError =>
  new CustodyError('iam_unavailable', `Twilio IAM gave no verdict on a Flex token: ${detail}`, {
    status: 503,
    retryable: true,
  });

/** The validator rejects with bare strings; a refusal of the token is told apart from everything else. */
function asRefusalOrOutage(reason: unknown): CustodyError {
  if (reason instanceof CustodyError) return reason;
  const text = reason instanceof Error ? reason.message : reason;
  if (typeof text !== 'string' || text === '') return unavailable('an answer without a message');
  // Whatever looks like a token stays out of the log.
  const detail = text.replace(/[A-Za-z0-9_\-.=]{32,}/g, '…').slice(0, 200);
  if (errno.test(text) || outage.test(text)) return unavailable(detail);
  return new CustodyError('token_refused', `Twilio IAM refused a Flex token: ${detail}`, { status: 403 });
}

/** Epoch ms of `expiration`, which IAM has sent as a date and as seconds; undefined where it cannot be read. */
function expiryOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number === 'number') return number < 1e11 ? number * 1000 : number;
  const date = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : date;
}

function viewerOf(answer: object): { viewer: Viewer; expiresAt: number | undefined } {
  const { identity, worker_sid, roles, expiration } = answer as Record<string, unknown>;
  if (typeof identity !== 'string' || identity === '') throw unavailable('an answer without identity');
  const viewer: Viewer = {
    identity,
    roles: Array.isArray(roles) ? roles.filter((role): role is string => typeof role === 'string') : [],
  };
  const workerSid = asWorkerSid(worker_sid);
  if (workerSid) viewer.workerSid = workerSid;
  return { viewer, expiresAt: expiryOf(expiration) };
}

/**
 * Validates Flex tokens at Twilio's IAM through Twilio's own validator, with what that lacks: a time limit, outages told
 * apart from refusals, one call for simultaneous requests, and a short memory for good answers (under the token's
 * hash, at most 60 s, never past the token's expiration).
 */
export function createFlexTokens(options: FlexTokenOptions): FlexTokens {
  const now = options.now ?? Date.now;
  const good = new Map<string, { viewer: Viewer; until: number }>();
  const underway = new Map<string, Promise<Viewer>>();
  let calls = 0;

  const ask = async (token: string): Promise<object> => {
    if (calls >= callLimit) throw unavailable(`${callLimit} calls are still without an answer`);
    calls += 1;
    const key = options.apiKey && { Sid: options.apiKey.sid, Secret: options.apiKey.secret };
    const answer = validator(token, options.accountSid, options.authToken, options.realm, key);
    const settled = () => {
      calls -= 1;
    };
    answer.then(settled, settled);
    let timer: NodeJS.Timeout | undefined;
    const limit = options.timeoutMs ?? iamLimitMs;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(unavailable(`no answer within ${limit} ms`)), limit);
    });
    return Promise.race([answer, late]).finally(() => clearTimeout(timer));
  };

  const validated = async (token: string, hash: string): Promise<Viewer> => {
    const answer = await ask(token).catch((reason: unknown) => {
      throw asRefusalOrOutage(reason);
    });
    const { viewer, expiresAt } = viewerOf(answer);
    const at = now();
    if (expiresAt !== undefined && expiresAt > at) {
      good.set(hash, { viewer, until: Math.min(at + goodForMs, expiresAt) });
      const [oldest] = good.keys();
      if (good.size > cacheLimit && oldest !== undefined) good.delete(oldest);
    }
    return viewer;
  };

  return {
    async validate(token) {
      if (token === undefined || token === '') {
        throw new CustodyError('token_missing', 'no Flex token', { status: 401 });
      }
      if (!shape.test(token)) {
        throw new CustodyError('token_malformed', 'not the shape of a Flex token', { status: 401 });
      }
      const hash = createHash('sha256').update(token).digest('base64');
      const known = good.get(hash);
      if (known && known.until > now()) return known.viewer;
      good.delete(hash);
      const already = underway.get(hash);
      if (already) return already;
      const call = validated(token, hash).finally(() => underway.delete(hash));
      underway.set(hash, call);
      return call;
    },
  };
}
