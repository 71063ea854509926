import type { AccountSid, RecordingSid } from '@flex-custody/core';
import type {
  FlexTokens,
  TwilioApi,
  TwilioCalls,
  TwilioFlexConfiguration,
  TwilioLive,
  TwilioTaskState,
} from '@flex-custody/twilio';
import type { Alarms } from '../alarms/alarms.ts';
import type { IntakeCatalog } from '../catalog/intake-catalog.ts';
import type { LinkingCatalog } from '../catalog/linking-catalog.ts';
import type { LookupCatalog } from '../catalog/lookup-catalog.ts';
import type { Config } from '../config.ts';
import type { Db } from '../db/db.ts';
import type { Inbox } from '../events/inbox.ts';
import type { Metrics } from '../metrics.ts';
import type { Queue } from '../queue/queue.ts';
import type { CallerDigest } from '../retention/caller.ts';
import type { Pausing } from './data-source/pausing.ts';
import type { Sessions } from './sessions/kept/sessions.ts';

export type RecorderTwilio = Pick<
  TwilioApi,
  'task' | 'updateTask' | 'reservation' | 'reservations' | 'conference' | 'participants'
> &
  Pick<TwilioLive, 'liveConference' | 'liveConferences' | 'recordingsOf' | 'changeRecording' | 'stopStream'> &
  TwilioCalls &
  Pick<TwilioFlexConfiguration, 'flexConfiguration'> &
  TwilioTaskState;

export interface RecorderDeps {
  accountSid: AccountSid;
  db: Pick<Db, 'query' | 'transaction'>;
  catalog: Pick<LookupCatalog, 'find' | 'ofContacts'> &
    Pick<IntakeCatalog, 'pausedSeconds'> &
    Pick<LinkingCatalog, 'calledBy' | 'withoutCaller'>;
  /** Base of `url_provider`, without a trailing slash. */
  publicUrl: string;
  /** Undefined if no secret for callers is set: callers are not identified. */
  callerDigest?: CallerDigest;
  /** Whether the host looks at live calls on a schedule. */
  watchCalls: boolean;
  alarms: Pick<Alarms, 'raise' | 'resolve'>;
  /** Takes the host's own events. */
  inbox: Pick<Inbox, 'take'>;
  sessions: Pick<Sessions, 'tick'>;
  queue: Pick<Queue, 'send'>;
  /** Sends the job that writes the sidecar of a verified recording. */
  describe(sid: RecordingSid): Promise<void>;
  twilio: RecorderTwilio;
  settings: Pausing;
  /** Whether a caller's voice may be sent to the vendor only with the caller's consent. */
  voiceConsent: Config['voiceConsent'];
  /** Validates the tokens of reports that waited for IAM. */
  flexTokens: FlexTokens;
  /** Seals the tokens of reports that wait for IAM. */
  secret: Uint8Array;
  metrics: Pick<Metrics, 'reported'>;
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  /** Ms between two looks at a paused call; 10,000 by default. */
  lookMs?: number;
}
