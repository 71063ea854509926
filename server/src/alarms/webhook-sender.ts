import type { Agent } from 'node:http';
import {
  type AlarmWebhook,
  alarmWebhookSignature,
  CustodyError,
  type ProvenWebhook,
} from '@flex-custody/core';
import { createAgent, NOT_PUBLIC, type RequestOptions, sendForStatus, sharedAgent } from '@flex-custody/net';
import { signBody } from '@flex-custody/vault';
import type { Config } from '../config.ts';

const defaultLimitMs = 10_000;
/** The host does not use an answer's body; it reads so much of it, to keep the connection. */
const mostBytes = 4_096;

export interface WebhookSender {
  /** @throws CustodyError `webhook_unavailable`, and `webhook_refused`, which another try would not change */
  send(webhook: AlarmWebhook | ProvenWebhook, signal?: AbortSignal): Promise<void>;
  /**
   * Asks by HEAD, without a body.
   * @returns the status of the answer
   * @throws as {@link send}, if there is no answer or the address is not allowed
   */
  reach(): Promise<number>;
}

/** @param given for tests: another agent than the one that the settings ask for, and another limit than 10 s */
export function createWebhookSender(
  { url, secrets, allowPrivate }: Omit<NonNullable<Config['alarmWebhook']>, 'news'>,
  given: { agent?: Agent; limitMs?: number } = {},
): WebhookSender {
  const agent =
    given.agent ?? (allowPrivate ? sharedAgent(url) : createAgent('https:', { publicOnly: true }));
  const limits = { agent, limitMs: given.limitMs ?? defaultLimitMs, mostBytes };
  const statusOf = (options: Partial<RequestOptions>) =>
    sendForStatus(url, { ...limits, ...options }).catch((error: NodeJS.ErrnoException) => {
      if (options.signal?.aborted) throw options.signal.reason;
      // The URL may hold a token of the receiver's: it is in no message.
      if (error.code === NOT_PUBLIC)
        throw new CustodyError('webhook_refused', 'its address is not on the public Internet');
      throw new CustodyError(
        'webhook_unavailable',
        `the receiver cannot be reached (${error.code ?? error.name})`,
      );
    });
  return {
    async send(webhook, signal) {
      const body = JSON.stringify(webhook);
      const headers = {
        'Content-Type': 'application/json',
        [alarmWebhookSignature]: signBody(secrets, body, Date.now()),
      };
      const status = await statusOf({ method: 'POST', headers, body, signal });
      if (status >= 200 && status < 300) return;
      const mayPass = status === 408 || status === 429 || status >= 500;
      throw new CustodyError(
        mayPass ? 'webhook_unavailable' : 'webhook_refused',
        `the receiver answered ${status}`,
      );
    },
    reach: () => statusOf({ method: 'HEAD' }),
  };
}
