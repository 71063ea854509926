import { asWorkerSid, CustodyError, type WorkerSid } from '@flex-custody/core';
import { type Connection, expected, readAtTurn } from './connection.ts';
import type { AdjustablePace } from './pace.ts';

export interface TaskWorker {
  sid: WorkerSid;
  friendlyName: string;
  /** Such as `Available`. */
  activity: string;
}

export interface WorkerPage {
  workers: readonly TaskWorker[];
  /** Absent on the last. */
  next?: string;
}

/** Source: https://www.twilio.com/docs/taskrouter/api/worker */
export interface TwilioTaskWorkers {
  /**
   * The workspace's workers, 1,000 at a time; `next` is asked for as `pageUrl`. Undefined where there is no such workspace.
   * @throws CustodyError as of `TwilioApi`; `twilio_answer` for a `pageUrl` that is not at TaskRouter
   */
  workersPage(pageUrl?: string, signal?: AbortSignal): Promise<WorkerPage | undefined>;
}

const pageSize = 1_000;
const origin = 'https://taskrouter.twilio.com';

export function taskWorkers(
  { workspace, workspaceSid }: Connection,
  pace: AdjustablePace,
): TwilioTaskWorkers {
  return {
    async workersPage(pageUrl, signal) {
      if (pageUrl !== undefined && !pageUrl.startsWith(`${origin}/v1/Workspaces/${workspaceSid}/Workers?`))
        throw new CustodyError('twilio_answer', 'the next page of workers is not at TaskRouter');
      const ask = async () => {
        const list = (await workspace()).workers;
        return pageUrl === undefined ? list.page({ pageSize }) : list.getPage(pageUrl);
      };
      const page = await readAtTurn(pace, 'the workers', ask, signal);
      if (!page) return undefined;
      const next = page.nextPageUrl;
      const workers = page.instances.map(({ sid, friendlyName, activityName }) => ({
        sid: expected(asWorkerSid(sid), 'worker SID'),
        friendlyName: friendlyName ?? '',
        activity: activityName ?? '',
      }));
      return { workers, ...(next && { next }) };
    },
  };
}
