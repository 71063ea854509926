import { fieldsOf } from '../json-fields.ts';
import {
  asCallSid,
  asConferenceSid,
  asRecordingSid,
  asReservationSid,
  asTaskSid,
  type CallSid,
  type ConferenceSid,
  type RecordingSid,
  type ReservationSid,
  type TaskSid,
} from '../sids.ts';
import { asText, oneOf, parseFields, textOf } from './fields.ts';

/** Why a call is not recorded, as the indicator shows it and the host keeps it. */
export const notRecordedReasons = [
  'rule',
  'on-demand',
  'internal-call',
  'flex-recording-off',
  'settings-invalid',
  'accept-failed',
  'start-failed',
  'host-unreachable',
  'unexpected',
] as const;
export type NotRecordedReason = (typeof notRecordedReasons)[number];

interface Common {
  /** A UUID made by the sender, so that the same report counts once. */
  id: string;
  /** Epoch ms at which it happened. */
  at: number;
  taskSid: TaskSid;
  reservationSid?: ReservationSid;
}

/**
 * Body of `POST /reports`: what happened on a live call and no webhook of Twilio reports. A Function adds the agent's Flex
 * token as `token`: its own signature says who speaks, and the token what may be done.
 */
export type Report =
  | (Common & {
      kind: 'paused' | 'resumed';
      conferenceSid: ConferenceSid;
      /** Of earlier releases. The host asks Twilio instead, and who did it is the token's worker. */
      recordings?: RecordingSid[];
    })
  /** The agent put a leg on hold, or took it back from hold. */
  | (Common & {
      kind: 'held' | 'unheld';
      conferenceSid: ConferenceSid;
      /** That leg; absent: the customer's. */
      callSid?: CallSid;
    })
  /** The agent's leg is in the conference. It has the host look at the call, and proves nothing. */
  | (Common & { kind: 'joined'; conferenceSid?: ConferenceSid; callSid?: CallSid })
  | (Common & { kind: 'not-recorded'; reason: NotRecordedReason })
  | (Common & { kind: 'double-recording' })
  | (Common & {
      kind: 'consent';
      callSid?: CallSid;
      /** Where to look for the call; that it is the token's holder's own, Twilio says. */
      conferenceSid?: ConferenceSid;
      /** What the caller consented to, or refused. */
      purpose: 'voice-enrolment' | 'voice-verification';
      decision: 'given' | 'refused' | 'withdrawn';
    });
export type ReportKind = Report['kind'];

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const kinds: readonly ReportKind[] = [
  'paused',
  'resumed',
  'held',
  'unheld',
  'not-recorded',
  'double-recording',
  'joined',
  'consent',
];

const day = 24 * 3_600_000;

/** Whether an event of that time may be reported now: a plugin may have been offline, a clock may be fast; not more. */
const isSane = (at: unknown, now: number): at is number =>
  Number.isSafeInteger(at) && (at as number) >= now - 7 * day && (at as number) <= now + 600_000;

/**
 * Reads a report; fields that its kind does not have are dropped.
 * @param now epoch ms of who reads it
 * @throws CustodyError `report_invalid` (400) that names each field at fault, without its value
 */
export function parseReport(body: unknown, now: number = Date.now()): Report {
  return parseFields(body, { what: 'report', code: 'report_invalid' }, ({ needed, optional }): Report => {
    const kind = needed('kind', oneOf(...kinds));
    const common: Common = {
      id: needed('id', textOf(uuid)),
      at: needed('at', (at) => (isSane(at, now) ? at : undefined)),
      taskSid: needed('taskSid', asTaskSid),
      ...optional('reservationSid', asReservationSid),
    };
    switch (kind) {
      case 'paused':
      case 'resumed':
        return {
          ...common,
          kind,
          conferenceSid: needed('conferenceSid', asConferenceSid),
          ...optional('recordings', asSidList),
        };
      case 'held':
      case 'unheld':
        return {
          ...common,
          kind,
          conferenceSid: needed('conferenceSid', asConferenceSid),
          ...optional('callSid', asCallSid),
        };
      case 'joined':
        return {
          ...common,
          kind,
          ...optional('conferenceSid', asConferenceSid),
          ...optional('callSid', asCallSid),
        };
      case 'not-recorded':
        return { ...common, kind, reason: needed('reason', oneOf(...notRecordedReasons)) };
      case 'consent':
        return {
          ...common,
          kind,
          purpose: needed('purpose', oneOf('voice-enrolment', 'voice-verification')),
          decision: needed('decision', oneOf('given', 'refused', 'withdrawn')),
          ...optional('callSid', asCallSid),
          ...optional('conferenceSid', asConferenceSid),
        };
      default:
        return { ...common, kind: 'double-recording' };
    }
  });
}

/** The `token` beside a report that a Function sends; undefined where it has none. */
export const tokenIn = (body: unknown): string | undefined => asText(fieldsOf(body)['token']);

const mostRecordings = 40;

function asSidList(value: unknown): RecordingSid[] | undefined {
  if (!Array.isArray(value) || value.length > mostRecordings) return undefined;
  const sids = value.map(asRecordingSid);
  return sids.every((sid) => sid !== undefined) ? (sids as RecordingSid[]) : undefined;
}
