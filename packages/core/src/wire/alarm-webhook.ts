import type { CopyProof } from '../recording-state.ts';
import { type AccountSid, asAccountSid, asRecordingSid, type RecordingSid } from '../sids.ts';
import { asText, oneOf, parseFields } from './fields.ts';

/**
 * Header of an alarm's webhook: `t=<epoch seconds>,v1=<hex>`, with one `v1` for each secret of the host. Each is the
 * HMAC-SHA256 of `<t>.<body>`.
 */
export const alarmWebhookSignature = 'x-flex-custody-signature';

/** `test`: an operator sent it by `flex-custody doctor`, and no alarm is behind it. */
const events = ['raised', 'resolved', 'test'] as const;
const severities = ['critical', 'warning'] as const;

/** Body of the POST that the host sends where an alarm is raised or resolved. */
export interface AlarmWebhook {
  /** The same in each try: a receiver ignores an id that it has seen. */
  id: string;
  event: (typeof events)[number];
  /** docs/alarms.md lists the codes. */
  code: string;
  severity: (typeof severities)[number];
  meaning: string;
  /** What a person does next. */
  next: string;
  recording?: RecordingSid;
  /** Shard of the events' stream. */
  shard?: string;
  /** SID of the session's task, call or conference; of a single hold its reservation, a slash, and its beginning in epoch ms. */
  session?: string;
  detail?: string;
  /** When the alarm was raised or resolved, as ISO 8601 in UTC. */
  at: string;
  account: AccountSid;
}

/** Kinds of good news that a host may send beside its alarms. */
export const newsKinds = ['recording.proven'] as const;
export type NewsKind = (typeof newsKinds)[number];

/** Body of the POST that the host sends when a recording becomes proven: its copy is equal to Twilio's media. */
export interface ProvenWebhook extends CopyProof {
  /** The same in each try, and for each proof of the same version of the recording. */
  id: string;
  event: 'recording.proven';
  recording: RecordingSid;
  account: AccountSid;
}

/**
 * Reads the body of a webhook whose `event` is `recording.proven`. Fields of later releases are dropped.
 * @throws CustodyError `request_invalid` (400) that names each field at fault
 */
export const parseProvenWebhook = (body: unknown): ProvenWebhook =>
  parseFields(body, { what: 'webhook of a proof', code: 'request_invalid' }, ({ needed, optional }) => ({
    id: needed('id', asText),
    event: needed('event', oneOf('recording.proven')),
    recording: needed('recording', asRecordingSid),
    at: needed('at', asText),
    by: needed('by', oneOf('copy', 'second-look')),
    how: needed('how', oneOf('sha256', 'samples')),
    ...optional('mono', (value) => (value === true ? value : undefined)),
    host: needed('host', asText),
    account: needed('account', asAccountSid),
  }));

/**
 * Reads the body of an alarm's webhook, parsed as JSON. Fields of later releases are dropped.
 * @throws CustodyError `request_invalid` (400) that names each field at fault
 */
export const parseAlarmWebhook = (body: unknown): AlarmWebhook =>
  parseFields(body, { what: 'alarm webhook', code: 'request_invalid' }, ({ needed, optional }) => ({
    id: needed('id', asText),
    event: needed('event', oneOf(...events)),
    code: needed('code', asText),
    severity: needed('severity', oneOf(...severities)),
    meaning: needed('meaning', asText),
    next: needed('next', asText),
    ...optional('recording', asRecordingSid),
    ...optional('shard', asText),
    ...optional('session', asText),
    ...optional('detail', asText),
    at: needed('at', asText),
    account: needed('account', asAccountSid),
  }));
