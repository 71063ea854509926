import type { Agent } from 'node:http';
import { sendRequest } from '@flex-custody/net';

/** What the SDK's client asks its HTTP library for. */
export interface Asked {
  url: string;
  method: string;
  headers: Record<string, string>;
  timeout: number;
  /** A form is written out by the SDK already; anything else is JSON. */
  data?: unknown;
  params?: Record<string, unknown>;
  paramsSerializer?: (params: Record<string, unknown>) => string;
}

export interface Answered {
  status: number;
  data: string;
  headers: Record<string, string | string[] | undefined>;
}

/**
 * One request to Twilio, by an agent of ours, as the SDK's HTTP library would make it: no redirect is followed, every status
 * is an answer. The library itself takes more time for a request than all else that a recording's link needs.
 */
export function overHttps(agent: Agent): (asked: Asked) => Promise<Answered> {
  return async ({ url, method, headers, timeout, data, params, paramsSerializer }) => {
    const query = params && paramsSerializer ? paramsSerializer(params) : '';
    const whole = query === '' ? url : `${url}${url.includes('?') ? '&' : '?'}${query}`;
    const body = data === undefined || typeof data === 'string' ? data : JSON.stringify(data);
    const answer = await sendRequest(whole, {
      agent,
      method: method.toUpperCase(),
      headers,
      body,
      // Until the answer's last byte: whoever asked has no longer to wait.
      limitMs: timeout,
    });
    return { status: answer.status, data: answer.text, headers: answer.headers };
  };
}
