import {
  asAccountSid,
  asRecordingSid,
  asTaskSid,
  type CopyReport,
  CustodyError,
  type IngestAnswer,
  objectKey,
  type RecordingCallback,
  type RecordingSid,
} from '@flex-custody/core';
import { signRequest } from '@flex-custody/vault';
import axios from 'axios';
import type { FunctionConfig } from './config.ts';
import { type Deadline, timeLimit } from './deadline.ts';

export interface HostClient {
  /** @throws CustodyError `host_unreachable` (503), `host_refused` (the host's own 4xx) */
  register(callback: RecordingCallback): Promise<IngestAnswer>;
  /** @throws the same; what could not be reported the host finds out by the end of the lease */
  report(recording: RecordingSid, report: CopyReport): Promise<void>;
}

/** The host registers and links within this time; more of it would eat the copy's. */
const timeLimitMs = 3_500;

export function hostClient(config: FunctionConfig, deadline: Deadline): HostClient {
  const post = async (path: string, content: unknown): Promise<unknown> => {
    const url = new URL(`${config.host.url}${path}`);
    const body = JSON.stringify(content);
    const signature = signRequest(config.host.secret, 'POST', url.pathname, body, Date.now());
    const limit = timeLimit(timeLimitMs, deadline);
    const response = await axios
      .post<unknown>(url.href, body, {
        headers: { 'Content-Type': 'application/json', 'X-Custody-Signature': signature },
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
  };

  return {
    async register(callback) {
      return checkedAnswer(await post('/ingest/recordings', callback), callback);
    },
    async report(recording, report) {
      const path = `/ingest/recordings/${recording}/report`;
      await post(path, report).catch((error: unknown) => {
        const again = error instanceof CustodyError && error.retryable && deadline.left() > 500;
        if (!again) throw error;
        return post(path, report);
      });
    },
  };
}

function refusal(status: number): CustodyError {
  // 401 is our own secret or clock at fault, not the callback: Twilio may well ask again.
  if (status >= 400 && status < 500 && status !== 401 && status !== 408 && status !== 429) {
    return new CustodyError('host_refused', `the host refused with ${status}`, { status });
  }
  return new CustodyError('host_unreachable', `the host answered ${status}`, {
    status: 503,
    retryable: true,
  });
}

/** An answer that would have us copy something else than was asked about is no answer. */
function checkedAnswer(data: unknown, callback: RecordingCallback): IngestAnswer {
  const answer = (typeof data === 'object' && data !== null ? data : {}) as Partial<
    Extract<IngestAnswer, { action: 'copy' }>
  >;
  const action = answer.action as IngestAnswer['action'] | undefined;
  const forwardTo = asTaskSid(answer.forwardTo);
  const forwarding = { forwarded: answer.forwarded === true, ...(forwardTo && { forwardTo }) };
  if (action === 'done' || action === 'busy' || action === 'host') return { action, ...forwarding };
  const { lease, leaseMs, source, rate } = answer;
  const good =
    action === 'copy' &&
    typeof lease === 'string' &&
    typeof leaseMs === 'number' &&
    typeof rate === 'number' &&
    rate > 0 &&
    source !== undefined &&
    asAccountSid(source.accountSid) === callback.accountSid &&
    asRecordingSid(source.recordingSid) === callback.recordingSid &&
    (source.channels === 1 || source.channels === 2) &&
    answer.objectKey === objectKey(callback.accountSid, callback.recordingSid);
  if (!good) {
    throw new CustodyError('host_answer_malformed', 'the host answered what is no answer', {
      status: 503,
      retryable: true,
    });
  }
  return { action, lease, leaseMs, source, objectKey: answer.objectKey as string, rate, ...forwarding };
}
