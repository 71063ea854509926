import {
  type AccountSid,
  type CallSid,
  CustodyError,
  type RecordingSid,
  type ReservationSid,
  type TaskSid,
} from '@flex-custody/core';
import type { Viewer } from '@flex-custody/twilio';
import type { Db } from '../db/db.ts';

/** The viewer of an entry about a segment link, which any bearer can use. */
export const bearerLink = { identity: 'bearer-link', roles: [] } as const;

/** The viewer of an entry about a command of the host. */
export const operator = { identity: 'operator', roles: [] } as const;

/** State of the audio that is played: equal to Twilio's media, read back, only copied, or Twilio's own. */
export type Custody = 'proven' | 'verified' | 'unverified' | 'twilio';

/** The actions of entries, done or refused, with their meaning: docs/access.md has the same. */
export const auditActions = {
  play: 'A viewer asked for a media link.',
  'segment-link': 'A link for the older Player was used.',
  'voice-consent': 'The viewer reported that a caller gave, refused or withdrew consent.',
  'adopt-database': 'An operator bound the database to another environment.',
  'accept-unsigned':
    'An operator restored the facts of a sidecar without a signature of a host, as unproven ones.',
  'secret.set': 'An operator, or an administrator in Flex, stored a secret.',
  'secret.removed': 'An operator, or an administrator in Flex, removed a stored secret.',
  'segment.explained': "An operator said why an agent's segment has no recording.",
  'segment.reason-withdrawn': 'An operator withdrew such a reason.',
  'data-source.set': 'The settings of the data source were changed, or their file has changed.',
  'connector.values': "An operator had the customer's values shown that a connector sends of a task.",
} as const;
export type AuditAction = keyof typeof auditActions;

/** The kinds of subjects of an entry, each with its SID. */
export interface SubjectSids {
  recording: RecordingSid;
  /** A reservation for which no recording was found, or whose segment is explained. */
  reservation: ReservationSid;
  call: CallSid;
  task: TaskSid;
  account: AccountSid;
  /** A stored secret, by its name. */
  secret: string;
}

export interface AuditEntry {
  viewer: Pick<Viewer, 'identity' | 'roles' | 'workerSid'> | typeof bearerLink | typeof operator;
  action: AuditAction;
  subject: { [K in keyof SubjectSids]: { kind: K; sid: SubjectSids[K] } }[keyof SubjectSids];
  allowed: boolean;
  reason: string;
  requestId?: string;
  /** State of the audio; absent if none was played. */
  custody?: Custody;
}

export interface Audit {
  /**
   * Resolves once the entry is stored; await it before a link is issued or a byte leaves.
   * @throws CustodyError `audit_unavailable` (503, retryable)
   */
  record(entry: AuditEntry): Promise<void>;
}

/** Equal refusals within this time share one row, with their count and last time. */
const sameForMinutes = 10;

/**
 * The audit log in the database. Entries are appended, and never changed or removed, with one exception: a refusal that
 * repeats the same viewer, action, subject and reason within ten minutes is counted in the existing row.
 */
export function createAudit(db: Pick<Db, 'query'>): Audit {
  return {
    async record({ viewer, action, subject, allowed, reason, requestId, custody }) {
      const worker = 'workerSid' in viewer ? (viewer.workerSid ?? null) : null;
      try {
        await db.query(
          `INSERT INTO audit
             (viewer, worker_sid, roles, action, subject_kind, recording_sid, allowed, reason, request_id, custody, repeats)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
             CASE WHEN NOT $7::boolean
               THEN date_bin('${sameForMinutes} minutes', now(), 'epoch'::timestamptz) END)
           ON CONFLICT (viewer, action, recording_sid, reason, repeats) WHERE repeats IS NOT NULL DO UPDATE
             SET times = audit.times + 1, last_at = now()`,
          [
            viewer.identity,
            worker,
            [...viewer.roles],
            action,
            subject.kind,
            subject.sid,
            allowed,
            reason,
            requestId ?? null,
            custody ?? null,
          ],
        );
      } catch (cause) {
        throw new CustodyError(
          'audit_unavailable',
          'the audit entry could not be written, so the action was not done',
          { cause },
        );
      }
    },
  };
}
