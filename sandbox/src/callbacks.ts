import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks';
import type { EventLog } from './events.ts';
import { encryptionDetails } from './recording-encryption.ts';
import { rfc2822 } from './rest/format.ts';
import type { Recording, World } from './world.ts';

/** One attempt to deliver a callback (page/contract.ts, DeliveryView). */
export interface Delivery {
  at: string;
  attempt: number;
  /** HTTP status; absent when no answer came. */
  status?: number;
  error?: string;
  ms: number;
}

/** @see https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides */
export interface Overrides {
  connectMs: number;
  readMs: number;
  totalMs: number;
  retries: number;
  policy: readonly string[];
}

/** Reads the fragment of a callback URL; what it does not set has Twilio's default: one retry, after a failed connect. */
export function connectionOverrides(fragment: string): Overrides {
  const fields = new URLSearchParams(fragment);
  const number = (name: string, fallback: number, least: number, most: number) => {
    const value = Number(fields.get(name) ?? fallback);
    return Number.isInteger(value) ? Math.min(most, Math.max(least, value)) : fallback;
  };
  return {
    connectMs: number('ct', 5000, 100, 10_000),
    readMs: number('rt', 15_000, 100, 15_000),
    totalMs: number('tt', 15_000, 100, 15_000),
    retries: number('rc', 1, 0, 5),
    policy: (fields.get('rp') ?? 'ct').split(','),
  };
}

export type Outcome = { status: number } | { failure: 'ct' | 'rt'; error: string };

export function mayRetry(outcome: Outcome, policy: readonly string[]): boolean {
  const allows = (name: string) => policy.includes(name) || policy.includes('all');
  if ('failure' in outcome) return allows(outcome.failure);
  return (
    (outcome.status >= 500 && allows('5xx')) ||
    (outcome.status >= 400 && outcome.status < 500 && allows('4xx'))
  );
}

/** Fields as the docs give them: https://www.twilio.com/docs/voice/api/recording#recordingstatuscallback */
export function callbackForm(world: World, recording: Recording): Record<string, string> {
  const { accountSid } = world.account;
  const form: Record<string, string> = {
    AccountSid: accountSid,
    RecordingSid: recording.sid,
    RecordingUrl: `https://api.twilio.com/2010-04-01/Accounts/${accountSid}/Recordings/${recording.sid}`,
    RecordingStatus: recording.status,
    RecordingChannels: String(recording.channels),
    RecordingStartTime: rfc2822(recording.startedAt) ?? '',
    RecordingSource: recording.source,
    RecordingTrack: recording.track,
  };
  if (recording.conferenceSid) form['ConferenceSid'] = recording.conferenceSid;
  else form['CallSid'] = recording.callSid;
  if (recording.status === 'completed') form['RecordingDuration'] = String(Math.round(recording.seconds));
  const details = encryptionDetails(recording.seal, 'guide');
  if (details) form['EncryptionDetails'] = JSON.stringify(details);
  if (recording.errorCode !== null) form['ErrorCode'] = String(recording.errorCode);
  return form;
}

export interface Courier {
  /** Posts the recording's callback, signed, again and again as its fragment says; resolves with every attempt. */
  deliver(recording: Recording, overrides?: Record<string, string>): Promise<readonly Delivery[]>;
  deliveries(recordingSid: string): readonly Delivery[];
  close(): void;
}

/**
 * @param baseUrl the Functions' address as Twilio calls and signs it
 * @param origin where that address is reached
 */
export function createCourier(deps: {
  world: World;
  events: EventLog;
  baseUrl: string;
  origin: string;
}): Courier {
  const { world, events, baseUrl, origin } = deps;
  const past = new Map<string, Delivery[]>();
  const closing = new AbortController();
  return {
    deliveries: (sid) => past.get(sid) ?? [],
    close: () => closing.abort(),
    async deliver(recording, overrides = {}) {
      const [path = '', fragment = ''] = (recording.callback ?? '').split('#');
      const rules = connectionOverrides(fragment);
      const form = { ...callbackForm(world, recording), ...overrides };
      const signature = getExpectedTwilioSignature(world.account.authToken, baseUrl + path, form);
      const headers = {
        'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
        'user-agent': 'TwilioProxy/1.1',
        accept: '*/*',
        'x-twilio-signature': signature,
        'i-twilio-idempotency-token': randomUUID(),
      };
      const all = past.get(recording.sid) ?? [];
      past.set(recording.sid, all);
      const own: Delivery[] = [];
      const end = Date.now() + rules.totalMs;
      for (let attempt = 1; attempt <= rules.retries + 1 && !closing.signal.aborted; attempt += 1) {
        const begun = Date.now();
        const outcome = await post(origin + path, headers, new URLSearchParams(form).toString(), {
          ...rules,
          readMs: Math.min(rules.readMs, end - begun),
          signal: closing.signal,
        });
        const delivery: Delivery = {
          at: new Date(begun).toISOString(),
          attempt,
          ms: Date.now() - begun,
          ...('status' in outcome ? { status: outcome.status } : { error: outcome.error }),
        };
        all.push(delivery);
        own.push(delivery);
        const good = 'status' in outcome && outcome.status < 400;
        events.emit(good ? 'callback.delivered' : 'callback.failed', {
          recording: recording.sid,
          ...delivery,
        });
        if (good || !mayRetry(outcome, rules.policy)) break;
        const pause = 250 * 2 ** (attempt - 1);
        if (Date.now() + pause >= end) break;
        await sleep(pause, undefined, { signal: closing.signal }).catch(() => undefined);
      }
      return own;
    },
  };
}

function post(
  url: string,
  headers: Record<string, string>,
  body: string,
  limits: { connectMs: number; readMs: number; signal: AbortSignal },
): Promise<Outcome> {
  return new Promise((resolve) => {
    let connected = false;
    const request = httpRequest(url, {
      method: 'POST',
      agent: false,
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      signal: limits.signal,
    });
    const fail = (error: Error) => {
      clearTimeout(connectTimer);
      clearTimeout(readTimer);
      resolve({ failure: connected ? 'rt' : 'ct', error: error.message });
    };
    const expire = (what: string) => () => request.destroy(new Error(`timeout: ${what}`));
    const connectTimer = setTimeout(expire('connect'), limits.connectMs);
    const readTimer = setTimeout(expire('read'), Math.max(1, limits.readMs));
    request.once('socket', (socket) =>
      socket.once('connect', () => {
        connected = true;
        clearTimeout(connectTimer);
      }),
    );
    request.once('error', fail);
    request.once('response', (response) => {
      response.once('error', fail);
      response.once('end', () => {
        clearTimeout(readTimer);
        resolve({ status: response.statusCode ?? 0 });
      });
      response.resume();
    });
    request.end(body);
  });
}
