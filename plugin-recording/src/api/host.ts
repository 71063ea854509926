import { type PauseSettings, type Report, readPauseSettings, type TaskSid } from '@flex-custody/core';
import { type Fetch, request } from './http';

/** What became of a report: `later` where the host may take it another time. */
export type Delivery = 'taken' | 'refused' | 'later';

export interface Host {
  pauseSettings(): Promise<PauseSettings | undefined>;
  report(report: Report): Promise<Delivery>;
  /** The agent has completed a task. Nothing but its SID is sent. */
  completed(taskSid: TaskSid): Promise<Delivery>;
}

/** @param token read at each call: Flex renews it, and the plugin keeps no copy */
export function host(hostUrl: string, token: () => string, fetch: Fetch): Host {
  const authorization = () => `Basic ${btoa(`token:${token()}`)}`;
  const post = async (path: string, body: object): Promise<Delivery> => {
    const result = await request(fetch, hostUrl + path, {
      method: 'POST',
      headers: { Authorization: authorization(), 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!result.answered || result.status >= 500 || passing.has(result.status)) return 'later';
    return result.status < 300 ? 'taken' : 'refused';
  };
  return {
    async pauseSettings() {
      const result = await request(fetch, `${hostUrl}/settings/pause`, {
        method: 'GET',
        headers: { Authorization: authorization() },
      });
      return result.answered && result.status === 200 ? readPauseSettings(result.body) : undefined;
    },
    report: (report) => post('/reports', report),
    completed: (taskSid) => post('/webhooks/flex/task-complete', { TaskSid: taskSid }),
  };
}

/** Of the 4xx, those that time heals: a token about to be renewed, a slow request, too many at once. */
const passing: ReadonlySet<number> = new Set([401, 408, 429]);
