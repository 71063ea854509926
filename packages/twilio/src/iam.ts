import { type AccountSid, CustodyError, jsonFields } from '@flex-custody/core';
import { ProxyRefusal, sendRequest, TOO_LONG } from '@flex-custody/net';

export interface IamConfig {
  accountSid: AccountSid;
  authToken?: string | undefined;
  /** Used where there is no auth token. */
  apiKey?: { sid: string; secret: string } | undefined;
  /** Twilio region of the account, as in `iam.<realm>.twilio.com`. */
  realm?: string | undefined;
}

/** What IAM answers about a token that it accepts; its fields are not checked yet. */
export type TokenFacts = Readonly<Record<string, unknown>>;

/** Asks IAM about one token. @throws CustodyError `token_refused` (403), `iam_unavailable` (503, retryable) */
export type AskIam = (token: string, signal: AbortSignal) => Promise<TokenFacts>;

/** An answer has some hundred bytes. */
const mostBytes = 65_536;
/** Twilio's errors about access tokens: https://www.twilio.com/docs/api/errors */
const isAboutToken = (code: unknown) => typeof code === 'number' && code >= 20_101 && code <= 20_199;

/** The next step is in the message where it is ours to take. */
export const iamUnavailable = (detail: string): CustodyError =>
  new CustodyError('iam_unavailable', `Twilio IAM does not say whether a Flex token is valid: ${detail}`);

/**
 * `POST /v1/Accounts/{AC}/Tokens/validate`, as Twilio's own validator sends it. That validator knows no time limit, no
 * proxy and no status, and gives an outage for a refusal.
 * Source: https://github.com/twilio/twilio-flex-token-validator
 */
export function createIam({ accountSid, authToken, apiKey, realm }: IamConfig): AskIam {
  const host = realm ? `iam.${realm}.twilio.com` : 'iam.twilio.com';
  const url = `https://${host}/v1/Accounts/${accountSid}/Tokens/validate`;
  const auth = authToken ? `${accountSid}:${authToken}` : apiKey && `${apiKey.sid}:${apiKey.secret}`;
  return async (token, signal) => {
    if (!auth)
      throw iamUnavailable('set TWILIO_AUTH_TOKEN, or TWILIO_API_KEY and TWILIO_API_SECRET, to ask it');
    try {
      const { status, text } = await sendRequest(url, {
        method: 'POST',
        headers: {
          Authorization: `Basic ${Buffer.from(auth).toString('base64')}`,
          'Cache-Control': 'no-cache',
          'Content-Type': 'application/json',
        },
        body: JSON.stringify({ token }),
        limitMs: longestMs,
        mostBytes,
        signal,
      });
      return factsOf(status, jsonFields(text));
    } catch (error) {
      if (error instanceof CustodyError) throw error;
      // What a proxy says is no word of IAM's.
      if (error instanceof ProxyRefusal)
        throw iamUnavailable(`the proxy does not connect to ${host} (${error.status})`);
      const { code } = error as NodeJS.ErrnoException;
      if (code === TOO_LONG) throw iamUnavailable('its answer is too long');
      throw iamUnavailable(signal.aborted ? 'no answer in time' : `no answer (${code ?? 'unknown'})`);
    }
  };
}

/** The upper limit; a caller sets a shorter one by the signal. */
const longestMs = 30_000;

/** By status and body: only an answer about the token itself is a refusal, and only a success accepts it. */
function factsOf(status: number, answer: TokenFacts): TokenFacts {
  const success = status >= 200 && status < 300;
  if (success && answer['valid'] === true) return answer;
  const { valid, code } = answer;
  const named = typeof code === 'number' ? `${status}, code ${code}` : String(status);
  const judged = status < 500 && status !== 408 && status !== 429 && (success || status >= 400);
  if (judged && (valid === false || isAboutToken(code)))
    throw new CustodyError('token_refused', `Twilio IAM refused a Flex token (${named})`);
  if (status === 401 || status === 403)
    throw iamUnavailable(`it does not accept the host's credentials (${named}): check TWILIO_AUTH_TOKEN`);
  if (status === 404) throw iamUnavailable(`it knows no such account (${named}): check TWILIO_REALM`);
  throw iamUnavailable(`its answer is unusable (${named})`);
}
