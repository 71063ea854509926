import { CustodyError, errorOf } from '@flex-custody/core';
import { sendRequest } from '@flex-custody/net';
import { signRequest } from '@flex-custody/vault';
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
  const answer = await sendRequest(url.href, {
    method,
    ...(content === undefined ? {} : { body }),
    headers: {
      ...(content === undefined ? {} : { 'Content-Type': 'application/json' }),
      'X-Custody-Signature': signature,
    },
    limitMs: timeLimit(usualMs, deadline),
    mostBytes: 64 * 1024,
  }).catch(() => {
    // The cause holds the request, and with it the signature: it must not reach a log.
    throw new CustodyError('host_unreachable', 'the host did not answer in time');
  });
  if (answer.status >= 200 && answer.status < 300) return parsed(answer.text);
  throw refusal(answer.status);
}

/** Undefined for an answer that is not JSON: the caller checks the fields of every answer. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(status: number): CustodyError {
  // 401 is our own secret or clock at fault, not what was asked: asking again may well help.
  if (status >= 400 && status < 500 && status !== 401 && status !== 408 && status !== 429) {
    return errorOf('host_refused', `the host refused with ${status}`, { status });
  }
  return new CustodyError('host_unreachable', `the host answered ${status}`);
}
