import { CustodyError } from './errors.ts';
import { fieldsOf } from './json-fields.ts';
import { type AccountSid, asAccountSid, asRecordingSid, type RecordingSid } from './sids.ts';

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
  detail?: string;
  /** When the alarm was raised or resolved, as ISO 8601 in UTC. */
  at: string;
  account: AccountSid;
}

/**
 * Reads the body of an alarm's webhook, parsed as JSON. Fields of later releases are dropped.
 * @throws CustodyError `request_invalid` (400) that names each field at fault
 */
export function parseAlarmWebhook(body: unknown): AlarmWebhook {
  const fields = fieldsOf(body);
  const wrong: string[] = [];
  const needed = <T>(name: string, value: T | undefined): T => {
    if (value === undefined) wrong.push(name);
    return value as T;
  };
  const text = (name: string) =>
    needed(name, typeof fields[name] === 'string' ? (fields[name] as string) : undefined);
  const one = <T>(name: string, all: readonly T[]) =>
    needed(
      name,
      all.find((known) => known === fields[name]),
    );
  const has = (name: string) => fields[name] !== undefined;
  const webhook: AlarmWebhook = {
    id: text('id'),
    event: one('event', events),
    code: text('code'),
    severity: one('severity', severities),
    meaning: text('meaning'),
    next: text('next'),
    ...(has('recording') && { recording: needed('recording', asRecordingSid(fields['recording'])) }),
    ...(has('detail') && { detail: text('detail') }),
    at: text('at'),
    account: needed('account', asAccountSid(fields['account'])),
  };
  if (wrong.length > 0)
    throw new CustodyError('request_invalid', `alarm webhook: missing or malformed ${wrong.join(', ')}`);
  return webhook;
}
