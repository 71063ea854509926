import type {
  CallSid,
  ConferenceSid,
  RecordingSid,
  ReservationSid,
  TaskSid,
  WorkerSid,
} from '@flex-custody/core';
import { CustodyError } from '@flex-custody/core';
import type { RecordingPlace, TwilioApi, TwilioRecording, TwilioReservation } from '@flex-custody/twilio';

/** Twilio's side in memory, for the tests of this room; what the SDK makes of the wire is tested in twilio/. */
export class FakeTwilio implements TwilioApi {
  readonly recordings = new Map<RecordingSid, TwilioRecording>();
  readonly calls = new Map<CallSid, string>();
  readonly tasks = new Map<TaskSid, { attributes: string; version: number; dateUpdated: Date }>();
  readonly reserved = new Map<ReservationSid, TwilioReservation>();
  readonly workers = new Map<WorkerSid, { friendlyName: string; attributes: string }>();
  /** Those who took part, as long as Twilio names them. */
  readonly conferences = new Map<ConferenceSid, CallSid[]>();
  readonly conferenceNames = new Map<ConferenceSid, string>();
  /** Names of the calls made, in order. */
  readonly asked: string[] = [];
  /** Calls that fail, by name, with what they throw. */
  readonly failing = new Map<keyof TwilioApi, CustodyError>();
  /** Runs before each write, as another writer would. */
  beforeUpdate: (() => void) | undefined;
  /** Milliseconds that each answer takes. */
  delayMs = 0;
  writes = 0;

  static readonly down = new CustodyError('twilio_unavailable', 'down');

  private async answer<T>(name: keyof TwilioApi, value: () => T): Promise<T> {
    this.asked.push(name);
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    const failure = this.failing.get(name);
    if (failure) throw failure;
    return value();
  }

  write(sid: TaskSid, change: (attributes: Record<string, unknown>) => void): void {
    const task = this.tasks.get(sid);
    if (!task) return;
    const attributes = JSON.parse(task.attributes) as Record<string, unknown>;
    change(attributes);
    task.attributes = JSON.stringify(attributes);
    task.version += 1;
  }

  recording = (sid: RecordingSid) => this.answer('recording', () => this.recordings.get(sid));
  /** Recordings of one page of their list. */
  pageSize = 2;
  /** Newest first; each is created when it begins. */
  recordingsPage = (window: { since: Date; until?: Date }, pageUrl?: string) =>
    this.answer('recordingsPage', () => {
      const all = [...this.recordings.values()]
        .filter(({ startedAt }) => startedAt >= window.since && (!window.until || startedAt <= window.until))
        .sort((a, b) => b.startedAt.getTime() - a.startedAt.getTime());
      const at = Number(pageUrl ?? 0);
      const end = at + this.pageSize;
      const recordings = all.slice(at, end);
      const oldest = recordings.at(-1)?.startedAt;
      return { recordings, ...(oldest && { oldest }), ...(end < all.length && { next: String(end) }) };
    });
  recordingsAt = (place: RecordingPlace) =>
    this.answer('recordingsAt', () =>
      [...this.recordings.values()].filter((one) =>
        'call' in place ? one.callSid === place.call : one.conferenceSid === place.conference,
      ),
    );
  deleteRecording = (sid: RecordingSid) =>
    this.answer('deleteRecording', () =>
      this.recordings.delete(sid) ? ('deleted' as const) : ('gone' as const),
    );
  call = (sid: CallSid) =>
    this.answer('call', () => {
      const to = this.calls.get(sid);
      return to === undefined ? undefined : { sid, to };
    });
  task = (sid: TaskSid) =>
    this.answer('task', () => {
      const task = this.tasks.get(sid);
      return (
        task && {
          sid,
          attributes: task.attributes,
          etag: String(task.version),
          dateUpdated: task.dateUpdated,
        }
      );
    });
  updateTask = (sid: TaskSid, attributesText: string, etag: string) =>
    this.answer('updateTask', () => {
      this.beforeUpdate?.();
      const task = this.tasks.get(sid);
      if (!task) return 'gone' as const;
      if (String(task.version) !== etag) return 'changed' as const;
      task.attributes = attributesText;
      task.version += 1;
      this.writes += 1;
      return 'ok' as const;
    });
  findTasks = (expression: string) =>
    this.answer('findTasks', () => {
      const sid = /'(\w+)'/.exec(expression)?.[1] ?? '?';
      return [...this.tasks].filter(([, task]) => task.attributes.includes(sid)).map(([task]) => task);
    });
  reservation = (task: TaskSid, sid: ReservationSid) =>
    this.answer('reservation', () => {
      const found = this.reserved.get(sid);
      return found?.taskSid === task ? found : undefined;
    });
  reservations = (task: TaskSid) =>
    this.answer('reservations', () =>
      [...this.reserved.values()].filter((reservation) => reservation.taskSid === task),
    );
  worker = (sid: WorkerSid) =>
    this.answer('worker', () => {
      const found = this.workers.get(sid);
      return found && { sid, ...found };
    });
  workersNamed = (name: string) =>
    this.answer('workersNamed', () =>
      [...this.workers].flatMap(([sid, { friendlyName }]) => (friendlyName === name ? [sid] : [])),
    );
  conference = (sid: ConferenceSid) =>
    this.answer('conference', () => {
      const friendlyName = this.conferenceNames.get(sid);
      return friendlyName === undefined ? undefined : { sid, friendlyName };
    });
  participants = (sid: ConferenceSid) => this.answer('participants', () => this.conferences.get(sid) ?? []);
  /** Twilio's clock minus ours. */
  aheadMs = 0;
  account = () =>
    this.answer('account', () => ({ friendlyName: 'account', status: 'active', aheadMs: this.aheadMs }));
  workspace = () => this.answer('workspace', () => ({ friendlyName: 'workspace' }));
}
