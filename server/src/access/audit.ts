import { CustodyError } from '@flex-custody/core';
import type { Viewer } from '@flex-custody/twilio';
import type { Db } from '../db/db.ts';

/** Who listens through a link that anybody may hold. */
export const bearerLink = { identity: 'bearer-link', roles: [] } as const;

/** Who works at the host's command line. */
export const operator = { identity: 'operator', roles: [] } as const;

/** Of audio that is played: equal to Twilio's media, read back, only copied, or Twilio's own. */
export type Custody = 'proven' | 'verified' | 'unverified' | 'twilio';

export interface AuditEntry {
  viewer: Pick<Viewer, 'identity' | 'roles' | 'workerSid'> | typeof bearerLink | typeof operator;
  /**
   * `voice-consent`: a caller gave, refused or withdrew consent, told by the viewer. `adopt-database`: an operator bound the
   * database to another custody. `accept-unsigned`: a sidecar that no host signed was believed.
   */
  action: 'play' | 'segment-link' | 'voice-consent' | 'adopt-database' | 'accept-unsigned';
  /** The recording; where none was found, the SID that was asked for. Of a consent the call, else the task; of an adoption the account. */
  recordingSid: string;
  allowed: boolean;
  reason: string;
  requestId?: string;
  /** What was known of the audio; absent where none was played. */
  custody?: Custody;
}

export interface Audit {
  /**
   * Resolves once the entry is stored: to be awaited before a link is issued or a byte leaves.
   * @throws CustodyError `audit_unavailable` (503, retryable)
   */
  record(entry: AuditEntry): Promise<void>;
}

/** Refusals that are alike are one row for so long; its count and last time say how often, and until when. */
const sameForMinutes = 10;

/**
 * The audit log in the database. Entries are appended, and never changed or removed but for one thing: a refusal that
 * repeats the same viewer, action, recording and reason within ten minutes is counted in the row that is there.
 */
export function createAudit(db: Pick<Db, 'query'>): Audit {
  return {
    async record({ viewer, action, recordingSid, allowed, reason, requestId, custody }) {
      const worker = 'workerSid' in viewer ? (viewer.workerSid ?? null) : null;
      try {
        await db.query(
          `INSERT INTO audit (viewer, worker_sid, roles, action, recording_sid, allowed, reason, request_id, custody, repeats)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9,
             CASE WHEN NOT $6::boolean
               THEN date_bin('${sameForMinutes} minutes', now(), 'epoch'::timestamptz) END)
           ON CONFLICT (viewer, action, recording_sid, reason, repeats) WHERE repeats IS NOT NULL DO UPDATE
             SET times = audit.times + 1, last_at = now()`,
          [
            viewer.identity,
            worker,
            [...viewer.roles],
            action,
            recordingSid,
            allowed,
            reason,
            requestId ?? null,
            custody ?? null,
          ],
        );
      } catch (cause) {
        throw new CustodyError(
          'audit_unavailable',
          'the audit entry could not be written, so nothing is done',
          { cause },
        );
      }
    },
  };
}
