import {
  type AccountSid,
  type CallSid,
  type ConferenceSid,
  CustodyError,
  type RecordingSid,
  type ReservationSid,
  readTaskMark,
  type TaskMark,
  type TaskSid,
  type WorkerSid,
} from '@flex-custody/core';
import type {
  CreatedTask,
  FlexConfiguration,
  ListedConference,
  ListedRecording,
  RecordedPlace,
  RecordingPlace,
  TwilioCallFacts,
  TwilioReservation,
} from '@flex-custody/twilio';
import type { RecorderTwilio } from '../deps.ts';

const sid = <T extends string>(prefix: string, n: number): T =>
  `${prefix}${n.toString(16).padStart(32, '0')}` as T;

export const sids = {
  account: sid<AccountSid>('AC', 1),
  conference: sid<ConferenceSid>('CF', 1),
  task: sid<TaskSid>('WT', 1),
  otherTask: sid<TaskSid>('WT', 2),
  reservation: sid<ReservationSid>('WR', 1),
  worker: sid<WorkerSid>('WK', 1),
  call: (n: number) => sid<CallSid>('CA', n),
  recording: (n: number) => sid<RecordingSid>('RE', n),
};

export const down = new CustodyError('twilio_unavailable', 'down');

/** One live call as Twilio has it: a conference of its legs, a recording on each leg, and its task. */
export class LiveCall implements RecorderTwilio {
  live = true;
  friendlyName: string = sids.task;
  legs = [
    { callSid: sids.call(1), to: '+15550100' },
    { callSid: sids.call(2), to: 'client:ada' },
  ];
  readonly recordings = new Map<RecordingSid, { call: CallSid; status: 'in-progress' | 'paused' }>();
  status: string | undefined = 'assigned';
  accepted = true;
  attributes: Record<string, unknown> = { name: 'kept' };
  version = 1;
  /** Ada's, as soon as she is offered the task. */
  reserved: TwilioReservation[] = [
    { sid: sids.reservation, taskSid: sids.task, workerSid: sids.worker, dateUpdated: new Date() },
  ];
  /** Thrown by everything that is asked. */
  failing: CustodyError | undefined;
  /** Runs before a recording is changed, as another writer would. */
  beforeChange: (() => Promise<void>) | undefined;
  changes: string[] = [];
  /** Streams that run, by their call and name. */
  readonly streams = new Set<string>();

  constructor() {
    this.record(1, 2);
  }

  record(recording: number, call: number): void {
    this.recordings.set(sids.recording(recording), { call: sids.call(call), status: 'in-progress' });
  }
  /** What the Function does. */
  pause(since: number): void {
    for (const recording of this.recordings.values()) recording.status = 'paused';
    this.attributes = { ...this.attributes, flex_custody: { paused: { since, by: sids.worker } } };
    this.version += 1;
  }
  states = () => [...this.recordings.values()].map(({ status }) => status);
  mark = (): TaskMark => readTaskMark(this.attributes);

  private async ask<T>(value: () => T): Promise<T> {
    if (this.failing) throw this.failing;
    return value();
  }
  liveConference = (asked: ConferenceSid) =>
    this.ask(() =>
      this.live && asked === sids.conference
        ? { sid: asked, friendlyName: this.friendlyName, legs: this.legs }
        : undefined,
    );
  liveConferences = (name: string) =>
    this.ask(() => (this.live && name === this.friendlyName ? [sids.conference] : []));
  stopStream = (call: CallSid, name: string) => this.ask(() => this.streams.delete(`${call} ${name}`));
  recordingsOf = (place: RecordingPlace) =>
    this.ask(() =>
      [...this.recordings].flatMap(([recordingSid, { call }]): ListedRecording[] =>
        'call' in place && place.call === call ? [{ recordingSid, status: 'processing' }] : [],
      ),
    );
  changeRecording = async (_place: RecordingPlace, asked: RecordingSid, change: { status: string }) => {
    await this.beforeChange?.();
    return this.ask(() => {
      const recording = this.recordings.get(asked);
      if (!recording) return 'not-active' as const;
      recording.status = change.status === 'paused' ? 'paused' : 'in-progress';
      this.changes.push(`${asked.slice(-1)} ${change.status}`);
      return 'ok' as const;
    });
  };
  taskState = (asked: TaskSid) =>
    this.ask(() =>
      this.status && asked === sids.task ? { status: this.status, accepted: this.accepted } : undefined,
    );
  task = (asked: TaskSid) =>
    this.ask(() =>
      this.status && asked === sids.task
        ? {
            sid: asked,
            attributes: JSON.stringify(this.attributes),
            etag: String(this.version),
            dateUpdated: new Date(),
          }
        : undefined,
    );
  updateTask = (_asked: TaskSid, text: string, etag: string) =>
    this.ask(() => {
      if (etag !== String(this.version)) return 'changed' as const;
      this.attributes = JSON.parse(text) as Record<string, unknown>;
      this.version += 1;
      return 'ok' as const;
    });
  conference = (asked: ConferenceSid) =>
    this.ask(() => (asked === sids.conference ? { sid: asked, friendlyName: this.friendlyName } : undefined));
  participants = (asked: ConferenceSid) =>
    this.ask(() => (asked === sids.conference ? this.legs.map(({ callSid }) => callSid) : []));
  callFacts = (asked: CallSid): Promise<TwilioCallFacts | undefined> =>
    this.ask(() => {
      const leg = this.legs.find(({ callSid }) => callSid === asked);
      return leg && { sid: asked, from: '', to: leg.to, direction: 'outbound-api' };
    });
  liveConferencesAll = (): Promise<ListedConference[]> => this.ask(() => []);
  recordingsSince = (_since: Date): Promise<RecordedPlace[]> => this.ask(() => []);
  taskCreated = (_asked: TaskSid): Promise<CreatedTask | undefined> => this.ask(() => undefined);
  flexConfiguration = (): Promise<FlexConfiguration | undefined> => this.ask(() => undefined);
  reservation = (task: TaskSid, asked: ReservationSid) =>
    this.ask(() => this.reserved.find((one) => one.sid === asked && one.taskSid === task));
  reservations = (asked: TaskSid) => this.ask(() => this.reserved.filter((one) => one.taskSid === asked));
}
