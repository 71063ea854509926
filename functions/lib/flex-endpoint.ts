import { CustodyError } from '@flex-custody/core';
import { createFlexTokens, type FlexTokens, type Viewer } from '@flex-custody/twilio';
import type { Deadline } from './deadline.ts';
import { answering, type Call, type Endpoint } from './endpoint.ts';
import type { FlexConfig } from './flex-config.ts';
import { fitsBody, headersOf } from './platform-request.ts';
import type { Answer, Event, Handler } from './runtime.ts';

export interface FlexCall<Config> extends Call<Config> {
  /** Who holds the Flex token. */
  viewer: Viewer;
  /** For the host, which acts by the authority of this token too. */
  token: string;
}

/** A Function that Flex in the browser calls: {@link Endpoint} behind an origin and a Flex token. */
export interface FlexEndpoint<Form, Config extends FlexConfig> extends Omit<Endpoint<Form, Config>, 'work'> {
  work(form: Form, call: FlexCall<Config>): Promise<Answer>;
}

/**
 * Environment → origin → token → form → work. The token comes as `Token` in the body, a form or JSON: a query gets into
 * logs and histories. The platform answers preflights of every origin; the answer itself, a refusal too, is readable for
 * our own pages alone. A Function cannot see the request's method.
 */
export function flexEndpoint<Form, Config extends FlexConfig>(parts: FlexEndpoint<Form, Config>): Handler {
  return (context, event, callback) => {
    let headers: Record<string, string> = { 'Cache-Control': 'no-store' };
    return answering(
      parts.name,
      callback,
      async (underway) => {
        const config = parts.config(context);
        headers = { ...headers, ...readableFor(originOf(event), config.origins) };
        const token = tokenOf(event);
        const viewer = await tokensOf(config).validate(token);
        const form = parts.parse(event, config);
        return inTime(underway.deadline, parts.work(form, { config, viewer, token, event, ...underway }));
      },
      (answer, error) => ({ ...withReason(answer, error), headers: { ...headers, ...answer.headers } }),
    );
  };
}

function originOf(event: Event): string | undefined {
  const origin = headersOf(event)['origin'];
  if (origin === undefined) return undefined;
  return typeof origin === 'string' ? origin : 'several';
}

/** Without an Origin it is no page that calls, and the token alone decides. */
function readableFor(origin: string | undefined, origins: readonly string[]): Record<string, string> {
  if (origin === undefined) return { Vary: 'Origin' };
  if (!origins.includes(origin))
    throw new CustodyError('origin_refused', 'pages of this origin may not call');
  return { Vary: 'Origin', 'Access-Control-Allow-Origin': origin };
}

/** @throws CustodyError `token_missing`, `token_malformed` (401) */
function tokenOf(event: Event): string {
  const token = event['Token'];
  if (token !== undefined && typeof token !== 'string')
    throw new CustodyError('token_malformed', 'the Flex token came more than once');
  if (!token || !fitsBody(event))
    throw new CustodyError('token_missing', 'no Flex token in the body of the request');
  return token;
}

let last: { key: string; tokens: FlexTokens } | undefined;

/** Good answers are remembered where the platform keeps the process warm. */
function tokensOf({ accountSid, authToken, realm }: FlexConfig): FlexTokens {
  const key = JSON.stringify([accountSid, authToken, realm]);
  if (last?.key !== key) last = { key, tokens: createFlexTokens({ accountSid, authToken, realm }) };
  return last.tokens;
}

/** What is not done by then may be asked again: a caller that waits for 10 s learns nothing. */
async function inTime(deadline: Deadline, work: Promise<Answer>): Promise<Answer> {
  const { signal } = deadline;
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () =>
      reject(new CustodyError('twilio_unavailable', 'not done in time')),
    );
  });
  return Promise.race([work, late]);
}

/** The answer says what is wrong with the request; the log says what is wrong on our side. */
function withReason(answer: Answer, error: unknown): Answer {
  if (!(error instanceof CustodyError) || answer.status >= 500 || typeof answer.body === 'string')
    return answer;
  return { ...answer, body: { ...answer.body, message: error.message } };
}
