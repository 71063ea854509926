import type { Agent } from 'node:http';
import { type AccountSid, CustodyError, jsonFields, type WorkspaceSid } from '@flex-custody/core';
import { createAgent } from '@flex-custody/net';
import type twilio from 'twilio';
import type { AccountContext } from 'twilio/lib/rest/api/v2010/account.js';
import type ConversationsV1 from 'twilio/lib/rest/conversations/V1.js';
import type EventsV1 from 'twilio/lib/rest/events/V1.js';
import type FlexV1 from 'twilio/lib/rest/flexApi/V1.js';
import type { WorkspaceContext } from 'twilio/lib/rest/taskrouter/v1/workspace.js';
import { isNotFound, isTooMany, twilioError } from './errors.ts';
import type { AdjustablePace } from './pace.ts';

export interface TwilioConfig {
  accountSid: AccountSid;
  workspaceSid: WorkspaceSid;
  /** Account SID and auth token, or API key and its secret. */
  username: string;
  password: string;
  /** Per request, milliseconds; 5,000 by default, since the SDK's own 30 s outlasts everyone who waits for us. */
  timeoutMs?: number;
}

/** Twilio's SDK, loaded at the first call: a role that never asks never pays for it. */
export interface Connection {
  readonly accountSid: AccountSid;
  readonly workspaceSid: WorkspaceSid;
  account(): Promise<AccountContext>;
  workspace(): Promise<WorkspaceContext>;
  flex(): Promise<FlexV1>;
  events(): Promise<EventsV1>;
  conversations(): Promise<ConversationsV1>;
  /**
   * One request whose body, and whose answer's, is JSON text as it crosses the wire: the SDK parses an answer, and so
   * rounds numbers that are not ours.
   * @throws an error with Twilio's status and code, as the SDK does
   */
  text(method: 'get' | 'post', uri: string, body?: string): Promise<string>;
}

export function connect(config: TwilioConfig): Connection {
  let loading: Promise<twilio.Twilio> | undefined;
  const client = () => {
    loading ??= import('twilio').then(({ default: sdk }) => {
      const timeout = config.timeoutMs ?? 5_000;
      // As many connections as the SDK's own agent has, which knows HTTP_PROXY alone, and no NO_PROXY.
      const agent = createAgent('https:', { keepAlive: true, maxSockets: 20, maxFreeSockets: 5, timeout });
      const httpClient = withAgent(new sdk.RequestClient({ timeout }), agent);
      return sdk(config.username, config.password, { accountSid: config.accountSid, httpClient });
    });
    return loading;
  };
  return {
    accountSid: config.accountSid,
    workspaceSid: config.workspaceSid,
    events: async () => (await client()).events.v1,
    conversations: async () => (await client()).conversations.v1,
    flex: async () => (await client()).flexApi.v1,
    workspace: async () => (await client()).taskrouter.v1.workspaces(config.workspaceSid),
    account: async () => (await client()).api.v2010.accounts(config.accountSid),
    text: async (method, uri, body) => {
      const headers = { 'Content-Type': 'application/json' };
      const answer: Answer = await (await client()).request({
        method,
        uri,
        // The SDK's types know no text, which it passes on as it is.
        ...(body !== undefined && { headers, data: body as unknown as object }),
      });
      if (answer.statusCode >= 200 && answer.statusCode < 300) return answer.body;
      throw Object.assign(new Error('no success'), {
        status: answer.statusCode,
        code: jsonFields(answer.body)['code'],
      });
    },
  };
}

/** The SDK's HTTP client by our agent: answers stay text, and a request's limit holds until the last byte of its answer. */
export function withAgent(client: twilio.RequestClient, httpsAgent: Agent): twilio.RequestClient {
  Object.assign(client.axios.defaults, { httpsAgent, transformResponse: [] });
  // The library's own limit begins with a connection, and so never ends the wait for one.
  client.axios.interceptors.request.use((asked) =>
    Object.assign(asked, { signal: AbortSignal.timeout(asked.timeout ?? 0) }),
  );
  return client;
}

interface Answer {
  statusCode: number;
  body: string;
}

/** Runs `ask`; a 404 is undefined, every other failure one of our errors. */
export async function read<T>(what: string, ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw twilioError(what, error);
  }
}

/** As {@link read}, at its turn; a 429 slows the pace. */
export async function readAtTurn<T>(
  pace: AdjustablePace,
  what: string,
  ask: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T | undefined> {
  await pace.turn(signal);
  return read(what, async () => {
    try {
      return await ask();
    } catch (error) {
      if (isTooMany(error)) pace.slow();
      throw error;
    }
  });
}

/** A value that Twilio must have sent in this shape. */
export function expected<T>(value: T | undefined, what: string): T {
  if (value === undefined)
    throw new CustodyError('twilio_answer', `Twilio answered without a readable ${what}`);
  return value;
}
