import { CustodyError, type PauseSettings, type Report } from '@flex-custody/core';
import type { Viewer } from '@flex-custody/twilio';
import { createAlarms } from '../../alarms/alarms.ts';
import { createCatalog } from '../../catalog/create-catalog.ts';
import type { Db } from '../../db/db.ts';
import { createInbox } from '../../events/create-inbox.ts';
import { keyOf } from '../../queue/sending.ts';
import type { RecorderDeps } from '../deps.ts';
import { LiveCall, sids } from './live-call.ts';

export const minute = 60_000;
/** On the hour, so that what a test adds to it can be read. */
export const start = Date.UTC(2026, 10, 24, 12);

/** The agent whose leg is in the call. */
export const ada: Viewer = { identity: 'ada', workerSid: sids.worker, roles: ['agent'] };

/** The room on a real database, its world faked. */
export function room(db: Db, change: Partial<PauseSettings> = {}) {
  const twilio = new LiveCall();
  /** Whose a token is, as IAM has it; each test may change it. */
  const iam = { tokens: new Map<string, Viewer>([['ada-token', ada]]), isAway: false };
  /** `once` as the queue stores it, with the key. */
  const sent: { conferenceSid: string; startAfterMs?: number; once?: string }[] = [];
  const reported: string[][] = [];
  const alarms = createAlarms(db);
  const deps: RecorderDeps = {
    accountSid: sids.account,
    publicUrl: 'https://custody.example',
    db,
    alarms,
    catalog: createCatalog(db, sids.account),
    watchCalls: false,
    inbox: createInbox({ db, accounts: [sids.account], log: { warn: () => undefined } }),
    sessions: { tick: async () => undefined },
    twilio,
    settings: async () => ({ enabled: true, behavior: 'silence', resumeAfterSeconds: 600, ...change }),
    queue: {
      send: async (job, data, options) => {
        const once = keyOf(job, data, options?.once);
        sent.push({ ...(data as unknown as { conferenceSid: string }), ...options, once });
      },
    },
    describe: async () => undefined,
    voiceConsent: 'required',
    secret: new Uint8Array(32).fill(7),
    flexTokens: {
      validate: async (token) => {
        if (iam.isAway) throw new CustodyError('iam_unavailable', 'away');
        const viewer = iam.tokens.get(token ?? '');
        if (!viewer) throw new CustodyError('token_refused', 'no');
        return viewer;
      },
    },
    metrics: { reported: (...labels) => void reported.push(labels) },
    log: { info: () => undefined, warn: () => undefined },
  };
  const raised = async () =>
    (await alarms.list({ open: true })).map(({ code, detail, times }) => [code, detail, times]);
  return { deps, twilio, iam, sent, reported, raised };
}

let made = 0;
const id = () => `00000000-0000-4000-8000-${String(++made).padStart(12, '0')}`;

export function pauseReport(
  kind: 'paused' | 'resumed',
  at: number,
  change: Partial<Extract<Report, { kind: 'paused' | 'resumed' }>> = {},
): Extract<Report, { kind: 'paused' | 'resumed' }> {
  return {
    id: id(),
    kind,
    at,
    taskSid: sids.task,
    conferenceSid: sids.conference,
    ...change,
  };
}

export const other = <K extends Report['kind']>(
  kind: K,
  more: Omit<Extract<Report, { kind: K }>, 'id' | 'at' | 'kind' | 'taskSid'>,
) => ({ id: id(), at: start, taskSid: sids.task, kind, ...more }) as unknown as Extract<Report, { kind: K }>;
