import {
  type CopyReport,
  CustodyError,
  type IngestAnswer,
  type RecordingCallback,
  type RecordingSid,
  readIngestAnswer,
} from '@flex-custody/core';
import type { FunctionConfig } from './config.ts';
import type { Deadline } from './deadline.ts';
import { hostRequest } from './host-request.ts';

export interface HostClient {
  /** @throws CustodyError `host_unreachable`, `host_answer_malformed` (503), `host_refused` (the host's own 4xx) */
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
      const answer = readIngestAnswer(await post('/ingest/recordings', callback), callback);
      if (answer) return answer;
      throw new CustodyError('host_answer_malformed', 'the host answered what is no answer');
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
