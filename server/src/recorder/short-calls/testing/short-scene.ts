import type {
  AccountSid,
  CallSid,
  RecordingSid,
  SealedObject,
  TaskSid,
  WorkspaceSid,
} from '@flex-custody/core';
import type { TaskEventPeriod, TaskRouterEvent } from '@flex-custody/twilio';
import type { Store } from '@flex-custody/vault';
import { createAlarms } from '../../../alarms/alarms.ts';
import { createCertificates } from '../../../catalog/certificates.ts';
import { createCatalog } from '../../../catalog/create-catalog.ts';
import type { Db } from '../../../db/db.ts';
import { createInbox } from '../../../events/create-inbox.ts';
import { createPolicies } from '../../../retention/policies.ts';
import { createRuns, type Json, type RunView } from '../../../runs/runs.ts';
import { testSigning } from '../../../signing/testing/identity.ts';
import { readSettings } from '../../data-source/read.ts';
import { createVersions } from '../../data-source/versions.ts';
import { noteComplete } from '../../repair/complete.ts';
import { applyToSome } from '../../sessions/kept/apply-policies.ts';
import { readContacts } from '../../sessions/kept/contacts-table.ts';
import { followBatch } from '../../sessions/kept/follow-inbox.ts';
import type { CloudEvent } from '../../sessions/testing/cloud-event.ts';
import { Story, type StoryTask } from '../../sessions/testing/story.ts';
import { deleteShortCalls } from '../delete-short-calls.ts';
import type { ShortJobDeps } from '../run-jobs.ts';

export const account = Story.common('AC', 'account') as AccountSid;
export const minute = 60_000;
export const RE = (n: number) => `RE${n.toString(16).padStart(32, '0')}` as RecordingSid;
/** An event as it is in TaskRouter's history; undefined for one of another product. */
function inHistory({ type, data }: CloudEvent): TaskRouterEvent[] {
  if (!type.startsWith('com.twilio.taskrouter.') || typeof data === 'string') return [];
  const { sid, timestamp, payload } = data as {
    sid: string;
    timestamp: string;
    payload: Record<string, unknown>;
  };
  return [
    {
      ...{ sid, type: type.slice('com.twilio.taskrouter.'.length), at: new Date(timestamp), description: '' },
      ...{ resourceSid: '', resourceType: '', data: payload },
    },
  ];
}

/** A bucket that keeps versions, in memory. */
function bucket() {
  const versions = new Map<string, string[]>();
  return {
    versions_: versions,
    /** Fails once, as a process that is killed then. */
    failing: undefined as Error | undefined,
    async *versions(prefix: string) {
      for (const [key, ids] of versions)
        if (key.startsWith(prefix))
          for (const versionId of ids) yield { key, versionId, etag: '"e"', deleteMarker: false };
    },
    async delete(key: string, versionId: string) {
      versions.set(
        key,
        (versions.get(key) ?? []).filter((id) => id !== versionId),
      );
    },
    async putBytes(key: string) {
      if (this.failing && !key.includes('/intents/') && key.startsWith('certificates/')) {
        const error = this.failing;
        this.failing = undefined;
        throw error;
      }
      versions.set(key, ['w']);
      return { etag: '"e"', bytes: 1, versionId: 'w' };
    },
    async *unfinishedUploads() {},
    lockOf: async () => undefined,
    head: async () => undefined,
  };
}

/** A call that an agent took for so many seconds, an hour before the scene. */
export function call(seed: number, seconds: number): { story: Story; task: StoryTask } {
  const story = new Story(seed, new Date(Date.now() - 60 * minute).toISOString());
  const task = story.inboundCall();
  story.wait(5);
  const agent = task.offer('anna');
  story.wait(3);
  agent.accept();
  story.wait(seconds);
  task.hangUp();
  agent.wrapUp();
  story.wait(1);
  agent.complete();
  task.complete();
  return { story, task };
}

/** The deletion of short calls at a database, with doubles of Twilio and the bucket. */
export async function shortScene(db: Db) {
  const catalog = createCatalog(db, account);
  const store = bucket();
  const policies = createPolicies(db, account);
  const versions = createVersions(db);
  const quiet = { info: () => undefined, warn: () => undefined };
  const inbox = createInbox({ db, accounts: [account], log: quiet });
  const runs = createRuns(db);
  const deletedAtTwilio: string[] = [];
  const history: TaskRouterEvent[] = [];
  const alarms = createAlarms(db);
  const signing = testSigning();
  const dataSource = {
    async current() {
      const row = await versions.current();
      return row && { version: row.version, settings: readSettings(row.settings).settings };
    },
  };
  const deps: ShortJobDeps = {
    config: { accountSid: account, workspaceSid: `WS${'2'.repeat(32)}` as WorkspaceSid },
    ...{ db, catalog, alarms, signing, runs, dataSource, keys: undefined, log: quiet },
    policies,
    certificates: createCertificates(db),
    store: store as unknown as Store,
    twilio: {
      account: async () => ({ friendlyName: '', status: '', aheadMs: 0 }),
      recording: async () => undefined,
      async deleteRecording(sid) {
        if (deletedAtTwilio.includes(sid)) return 'gone';
        deletedAtTwilio.push(sid);
        return 'deleted';
      },
      async taskEventsPage({ since, until, taskSid, reservationSid }: TaskEventPeriod) {
        const events = history.filter(
          ({ at, data }) =>
            at >= since &&
            at <= until &&
            (taskSid === undefined || data['task_sid'] === taskSid) &&
            (reservationSid === undefined || data['reservation_sid'] === reservationSid),
        );
        return { events };
      },
    },
  };
  const minimum = async () => {
    const now = await dataSource.current();
    return { version: now?.version ?? 0, minimumSeconds: now?.settings.minimumSessionSeconds ?? 0 };
  };
  return {
    ...{ alarms, catalog, deletedAtTwilio, deps, history, policies, signing, store, versions },
    /** TaskRouter lists the story's events. */
    list: (story: Story) => void history.push(...story.sent.flatMap(inHistory)),
    async setMinimum(seconds: number) {
      await versions.append(
        { settings: { minimumSessionSeconds: seconds }, by: 'test' },
        (await minimum()).version,
      );
    },
    /** The webhook brings events, and the sessions read them. */
    async receive(events: readonly CloudEvent[], { read = true } = {}) {
      await inbox.take(events, { source: 'webhook' });
      if (!read) return;
      const { touched } = await followBatch({
        ...{ db, log: quiet, options: async () => ({}), apply: async () => undefined },
      });
      const { minimumSeconds } = await minimum();
      await applyToSome(
        {
          ...{ db, alarms },
          settings: async () => ({ minimumSeconds, longCallMinutes: 120, longHoldMinutes: 30 }),
        },
        touched,
      );
    },
    repairedUntil: (until: number) =>
      noteComplete(
        catalog,
        { from: new Date(Date.now() - 24 * 60 * minute), until: new Date(until) },
        { instead: true },
      ),
    /** A verified copy of so many seconds. */
    async record(
      n: number,
      task: StoryTask,
      seconds: number,
      { leg = task.call, late = 0, link = true } = {},
    ) {
      const key = `recordings/${account}/${RE(n)}`;
      await catalog.register({
        ...{ recordingSid: RE(n), accountSid: account, channels: 2, hints: {}, source: 'callback' },
        ...{ callSid: leg as CallSid, durationSeconds: Math.round(seconds) },
        startedAt: new Date(Date.now() - 59 * minute + late * 1_000),
      });
      const object = {
        ...{ key, mode: 'envelope', etag: '"e"', versionId: 'v2', bytes: 9, keyId: 'k' },
        plaintextBytes: 44 + Math.round(seconds * 32_000),
      } as SealedObject;
      await catalog.sealed(RE(n), (await catalog.lease(RE(n), 'test', 60_000))?.secret ?? '', object, 2);
      await catalog.verified(RE(n), object, 'a'.repeat(64));
      if (link) await catalog.linked(RE(n), { taskSid: task.sid as TaskSid });
      store.versions_.set(key, ['v1', 'v2']);
      store.versions_.set(`${key}.json`, ['s1']);
    },
    /** All that the bucket has of recordings. */
    left: () =>
      [...store.versions_]
        .filter(([key]) => key.startsWith('recordings/R') || key.includes('/RE'))
        .flatMap(([, ids]) => ids),
    run: (options: Json = {}): Promise<RunView> =>
      runs.run('short-calls', options, (run) => deleteShortCalls(deps, run)),
    sessions: async () =>
      readContacts(
        db,
        (await db.query<{ number: number }>('SELECT number FROM contacts ORDER BY number')).map(
          ({ number }) => number,
        ),
      ),
    /** Every contact is due for a look. */
    lookAgain: () => db.query(`UPDATE contacts SET short_look_at = '-infinity'`),
    open: async () => (await alarms.list({ open: true })).map(({ code }) => code),
  };
}

export type ShortScene = Awaited<ReturnType<typeof shortScene>>;
