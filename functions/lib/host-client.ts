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
import type { FunctionConfig } from './config.ts';
import type { Deadline } from './deadline.ts';
import { hostRequest } from './host-request.ts';

export interface HostClient {
  /** @throws CustodyError `host_unreachable` (503), `host_refused` (the host's own 4xx) */
  register(callback: RecordingCallback): Promise<IngestAnswer>;
  /** @throws the same; what could not be reported the host finds out by the end of the lease */
  report(recording: RecordingSid, report: CopyReport): Promise<void>;
}

/** The host registers and links within this time; more of it would eat the copy's. */
const timeLimitMs = 3_500;

export function hostClient({ host }: Pick<FunctionConfig, 'host'>, deadline: Deadline): HostClient {
  const post = (path: string, content: unknown) => hostRequest(host, deadline, timeLimitMs, path, content);

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
    throw new CustodyError('host_answer_malformed', 'the host answered what is no answer');
  }
  return { action, lease, leaseMs, source, objectKey: answer.objectKey as string, rate, ...forwarding };
}
