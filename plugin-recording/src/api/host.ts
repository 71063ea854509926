import { type PauseSettings, type Report, readPauseSettings } from '@flex-custody/core';
import { type Fetch, request } from './http';

/** What became of a report: `later` where the host may take it another time. */
export type Delivery = 'taken' | 'refused' | 'later';

export interface Host {
  pauseSettings(): Promise<PauseSettings | undefined>;
  report(report: Report): Promise<Delivery>;
}

/** @param token read at each call: Flex renews it, and the plugin keeps no copy */
export function host(hostUrl: string, token: () => string, fetch: Fetch): Host {
  const authorization = () => `Basic ${btoa(`token:${token()}`)}`;
  return {
    async pauseSettings() {
      const result = await request(fetch, `${hostUrl}/settings/pause`, {
        method: 'GET',
        headers: { Authorization: authorization() },
      });
      return result.answered && result.status === 200 ? readPauseSettings(result.body) : undefined;
    },
    async report(report) {
      const result = await request(fetch, `${hostUrl}/reports`, {
        method: 'POST',
        headers: { Authorization: authorization(), 'Content-Type': 'application/json' },
        body: JSON.stringify(report),
      });
      if (!result.answered || result.status >= 500 || passing.has(result.status)) return 'later';
      return result.status < 300 ? 'taken' : 'refused';
    },
  };
}

/** Of the 4xx, those that time heals: a token about to be renewed, a slow request, too many at once. */
const passing: ReadonlySet<number> = new Set([401, 408, 429]);
