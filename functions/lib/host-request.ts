import { CustodyError } from '@flex-custody/core';
import { signRequest } from '@flex-custody/vault';
import axios from 'axios';
import type { FunctionConfig } from './config.ts';
import { type Deadline, timeLimit } from './deadline.ts';

/**
 * Asks the host, signed.
 * @param usualMs what it may take; less where less time is left
 * @returns the answer's body
 * @throws CustodyError `host_unreachable` (503), `host_refused` (the host's own 4xx)
 */
export async function hostRequest(
  host: FunctionConfig['host'],
  deadline: Deadline,
  usualMs: number,
  path: string,
  content?: unknown,
): Promise<unknown> {
  const url = new URL(`${host.url}${path}`);
  const method = content === undefined ? 'GET' : 'POST';
  const body = content === undefined ? '' : JSON.stringify(content);
  const signature = signRequest(host.secret, method, url.pathname, body, Date.now());
  const limit = timeLimit(usualMs, deadline);
  const response = await axios
    .request<unknown>({
      method,
      url: url.href,
      ...(content === undefined ? {} : { data: body }),
      headers: {
        ...(content === undefined ? {} : { 'Content-Type': 'application/json' }),
        'X-Custody-Signature': signature,
      },
      // `timeout` alone does not bound the time that a connection takes to come about.
      timeout: limit,
      signal: AbortSignal.timeout(limit),
      maxRedirects: 0,
      maxContentLength: 64 * 1024,
      validateStatus: null,
    })
    .catch(() => {
      // The cause holds the request, and with it the signature: it goes no further.
      throw new CustodyError('host_unreachable', 'the host did not answer in time', {
        status: 503,
        retryable: true,
      });
    });
  if (response.status >= 200 && response.status < 300) return response.data;
  throw refusal(response.status);
}

function refusal(status: number): CustodyError {
  // 401 is our own secret or clock at fault, not what was asked: asking again may well help.
  if (status >= 400 && status < 500 && status !== 401 && status !== 408 && status !== 429) {
    return new CustodyError('host_refused', `the host refused with ${status}`, { status });
  }
  return new CustodyError('host_unreachable', `the host answered ${status}`, {
    status: 503,
    retryable: true,
  });
}
