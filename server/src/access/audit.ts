import { CustodyError } from '@flex-custody/core';
import type { Viewer } from '@flex-custody/twilio';
import type { Db } from '../db.ts';

/** Who listens through a link that anybody may hold. */
export const bearerLink = { identity: 'bearer-link', roles: [] } as const;

/** One of our Functions, which signs for what it says. */
export const ownFunction = { identity: 'function', roles: [] } as const;

/** Who works at the host's command line. */
export const operator = { identity: 'operator', roles: [] } as const;

export interface AuditEntry {
  viewer:
    | Pick<Viewer, 'identity' | 'roles' | 'workerSid'>
    | typeof bearerLink
    | typeof ownFunction
    | typeof operator;
  /**
   * `voice-consent`: a caller gave, refused or withdrew consent, as the viewer reported. `accept-unsigned`: a sidecar that no
   * host signed was believed.
   */
  action: 'play' | 'segment-link' | 'voice-consent' | 'accept-unsigned';
  /** The recording; where none was found, the SID that was asked for. Of a consent the call, else the task. */
  recordingSid: string;
  allowed: boolean;
  reason: string;
  requestId?: string;
}

export interface Audit {
  /**
   * Resolves once the entry is stored: to be awaited before a link is issued or a byte leaves.
   * @throws CustodyError `audit_unavailable` (503, retryable)
   */
  record(entry: AuditEntry): Promise<void>;
}

/** The audit log in the database, append-only: no room has code that changes or removes an entry. */
export function createAudit(db: Pick<Db, 'query'>): Audit {
  return {
    async record({ viewer, action, recordingSid, allowed, reason, requestId }) {
      const worker = 'workerSid' in viewer ? (viewer.workerSid ?? null) : null;
      try {
        await db.query(
          `insert into audit (viewer, worker_sid, roles, action, recording_sid, allowed, reason, request_id)
           values ($1, $2, $3, $4, $5, $6, $7, $8)`,
          [
            viewer.identity,
            worker,
            [...viewer.roles],
            action,
            recordingSid,
            allowed,
            reason,
            requestId ?? null,
          ],
        );
      } catch (cause) {
        throw new CustodyError(
          'audit_unavailable',
          'the audit entry could not be written, so nothing is done',
          {
            status: 503,
            retryable: true,
            cause,
          },
        );
      }
    },
  };
}
