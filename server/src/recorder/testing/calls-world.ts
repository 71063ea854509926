import type { CallSid, ConferenceSid, TaskSid, WorkerSid } from '@flex-custody/core';
import type {
  CreatedTask,
  RecordedPlace,
  RecordingPlace,
  TwilioCallFacts,
  TwilioReservation,
} from '@flex-custody/twilio';
import { createAlarms } from '../../alarms/alarms.ts';
import { createCatalog } from '../../catalog/create-catalog.ts';
import type { Db } from '../../db/db.ts';
import type { OfRecording } from '../../queue/job.ts';
import type { SendOptions } from '../../queue/queue.ts';
import { keyOf } from '../../queue/sending.ts';
import { type CallerDigest, callerDigests } from '../../retention/caller.ts';
import type { RecorderDeps } from '../deps.ts';
import { LiveCall, sids } from './live-call.ts';
import { room } from './room.ts';

export const customer = '+14155550142';
export const own = '+14155550199';
export const digest = callerDigests(Buffer.alloc(32, 5).toString('base64')) as CallerDigest;

interface Conference {
  name: string;
  live: boolean;
  createdAt: Date;
  legs: CallSid[];
}

/** What Twilio knows of any number of calls, and what it is asked. */
export class CallsWorld extends LiveCall {
  readonly conferences = new Map<ConferenceSid, Conference>();
  readonly calls = new Map<CallSid, TwilioCallFacts>();
  readonly recorded: RecordedPlace[] = [];
  readonly made = new Map<TaskSid, CreatedTask>();
  settings: Record<string, unknown> = {};
  readonly asked: string[] = [];
  /** Recordings that the list of all does not show yet. */
  listLags = false;

  private async note<T>(what: string, value: () => T): Promise<T> {
    this.asked.push(what);
    if (this.failing) throw this.failing;
    return value();
  }

  /** A conference of a task, as Flex opens one. */
  open(sid: ConferenceSid, task: string, createdAt: Date, ...legs: CallSid[]): void {
    this.conferences.set(sid, { name: task, live: true, createdAt, legs });
  }
  call(n: number, facts: Partial<TwilioCallFacts>): CallSid {
    const sid = sids.call(n);
    this.calls.set(sid, { sid, from: own, to: own, direction: 'outbound-api', ...facts });
    return sid;
  }
  join(sid: ConferenceSid, ...legs: CallSid[]): void {
    this.conferences.get(sid)?.legs.push(...legs);
  }
  end(sid: ConferenceSid): void {
    Object.assign(this.conferences.get(sid) ?? {}, { live: false });
  }

  override conference = (sid: ConferenceSid) =>
    this.note('conference', () => {
      const found = this.conferences.get(sid);
      return found && { sid, friendlyName: found.name };
    });
  override participants = (sid: ConferenceSid) =>
    this.note('participants', () => [...(this.conferences.get(sid)?.legs ?? [])]);
  override liveConferences = (name: string) =>
    this.note('liveConferences', () =>
      [...this.conferences].flatMap(([sid, one]) => (one.live && one.name === name ? [sid] : [])),
    );
  override callFacts = (sid: CallSid) => this.note('callFacts', () => this.calls.get(sid));
  override liveConferencesAll = () =>
    this.note('liveConferencesAll', () =>
      [...this.conferences].flatMap(([sid, { name, live, createdAt }]) =>
        live ? [{ sid, friendlyName: name, createdAt }] : [],
      ),
    );
  override recordingsSince = (_since: Date) =>
    this.note('recordingsSince', () => (this.listLags ? [] : [...this.recorded]));
  override recordingsOf = (place: RecordingPlace) =>
    this.note('recordingsOf', () =>
      this.recorded.flatMap((one, index) =>
        ('call' in place ? one.callSid === place.call : one.conferenceSid === place.conference)
          ? [{ recordingSid: sids.recording(index + 1), status: one.status }]
          : [],
      ),
    );
  override taskCreated = (task: TaskSid) => this.note('taskCreated', () => this.made.get(task));
  override flexConfiguration = () =>
    this.note('flexConfiguration', () => ({
      uiAttributes: { flex_custody: this.settings },
      uiAttributesText: JSON.stringify({ flex_custody: this.settings }),
      callRecordingEnabled: false,
      callRecordingWebhookUrl: undefined,
    }));
}

export interface SentJob {
  name: string;
  data: object;
  options?: SendOptions;
}

/** The room with a world of calls, on a real database. */
export function callsRoom(db: Db) {
  const world = new CallsWorld();
  const sent: SentJob[] = [];
  const { deps: plain } = room(db);
  const alarms = createAlarms(db);
  const deps: RecorderDeps = {
    ...plain,
    twilio: world,
    catalog: createCatalog(db, sids.account),
    callerDigest: digest,
    watchCalls: true,
    queue: {
      send: async (job, data, options) =>
        void sent.push({
          name: job.name,
          data,
          options: { ...options, once: keyOf(job, data, options?.once) },
        }),
    },
    describe: async (recordingSid) => void sent.push({ name: 'describe', data: { recordingSid } }),
  };
  const open = async () => (await alarms.list({ open: true })).map(({ code, detail }) => [code, detail]);
  /** Recordings of which Twilio is to be asked again. */
  const facts = () =>
    sent.flatMap((job) => (job.name === 'facts' ? [(job.data as OfRecording).recordingSid] : []));
  return { world, deps, sent, alarms, open, facts };
}

export const reservation = (n: number, task: TaskSid, worker: WorkerSid): TwilioReservation => ({
  sid: `WR${n.toString(16).padStart(32, '0')}` as TwilioReservation['sid'],
  taskSid: task,
  workerSid: worker,
  dateUpdated: new Date(),
});

export const conferenceSid = (n: number) => `CF${n.toString(16).padStart(32, '0')}` as ConferenceSid;

/** The same with an inbound call of a task: a customer and a worker. */
export function inboundRoom(db: Db, createdAt: Date = new Date(Date.now() - 1_000)) {
  const set = callsRoom(db);
  const leg = set.world.call(1, { direction: 'inbound', from: customer });
  const agent = set.world.call(2, { from: customer, to: 'client:ada' });
  set.world.open(conferenceSid(1), sids.task, createdAt, leg, agent);
  return { ...set, leg, agent };
}
