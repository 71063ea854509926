import { type Agent, request } from 'node:https';

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
 * One request to Twilio, by the SDK's own agent, as its HTTP library would make it: no redirect is followed, every status
 * is an answer. The library itself takes more time for a request than all else that a recording's link needs.
 */
export function overHttps(agent: Agent): (asked: Asked) => Promise<Answered> {
  return ({ url, method, headers, timeout, data, params, paramsSerializer }) =>
    new Promise((resolve, reject) => {
      const query = params && paramsSerializer ? paramsSerializer(params) : '';
      const whole = query === '' ? url : `${url}${url.includes('?') ? '&' : '?'}${query}`;
      const body = data === undefined || typeof data === 'string' ? data : JSON.stringify(data);
      const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
      const asking = request(whole, {
        agent,
        method: method.toUpperCase(),
        headers: { ...headers, ...length },
      });
      // Until the answer's last byte: whoever asked has no longer to wait.
      const timer = setTimeout(() => asking.destroy(new Error('no answer in time')), timeout);
      const fail = (error: Error) => {
        clearTimeout(timer);
        reject(error);
      };
      asking.on('error', fail);
      asking.once('response', (answer) => {
        const pieces: Buffer[] = [];
        answer.on('error', fail);
        answer.on('data', (piece: Buffer) => pieces.push(piece));
        answer.once('end', () => {
          clearTimeout(timer);
          resolve({
            status: answer.statusCode ?? 0,
            data: Buffer.concat(pieces).toString(),
            headers: answer.headers,
          });
        });
      });
      asking.end(body);
    });
}
