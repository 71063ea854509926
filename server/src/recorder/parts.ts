import type { PauseSettings } from '@flex-custody/core';
import type { TwilioApi, TwilioLive, TwilioTaskState } from '@flex-custody/twilio';
import type { Alarms } from '../catalog/alarms.ts';
import type { Db } from '../db.ts';
import type { Metrics } from '../metrics.ts';
import type { Queue } from '../queue/queue.ts';

export type RecorderTwilio = Pick<TwilioApi, 'task' | 'updateTask' | 'reservations'> &
  Pick<TwilioLive, 'liveConference' | 'recordingsOf' | 'changeRecording'> &
  TwilioTaskState;

export interface RecorderParts {
  db: Pick<Db, 'query' | 'transaction'>;
  alarms: Pick<Alarms, 'raise' | 'mended'>;
  queue: Pick<Queue, 'send' | 'work' | 'every'>;
  twilio: RecorderTwilio;
  settings: PauseSettings;
  metrics: Pick<Metrics, 'reported'>;
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  /** Between two looks at a paused call; 10,000 by default. */
  lookMs?: number;
}
