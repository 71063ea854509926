import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { CustodyError, errorCode, isRetryable, parseReport, type Report } from '@flex-custody/core';
import type { Db } from '../../db/db.ts';
import type { RecorderDeps } from '../deps.ts';
import { receive } from './receive.ts';

/** Reports that Functions sent while IAM was unavailable: their tokens are not validated yet. */
export interface PendingReports {
  /**
   * Stores a report until IAM answers. The same report is stored once.
   * @throws CustodyError `reports_full` (503, retryable) if too many wait
   */
  keep(report: Report, token: string, requestId: string): Promise<void>;
}

/** A token is valid for some hours, and an older report is of no use to a call. */
const keptHours = 12;
const mostKept = 2_000;
/** Reports that one job processes at most. */
const batch = 100;

interface Kept {
  id: string;
  report: string;
  token: Uint8Array;
  request_id: string;
  received_at: Date;
}

export function createPendingReports({ db, secret }: Pick<RecorderDeps, 'db' | 'secret'>): PendingReports {
  return {
    async keep(report, token, requestId) {
      const text = JSON.stringify(report);
      const rows = await db.query<object>(
        `INSERT INTO pending_reports (id, report, token, request_id)
         SELECT $1, $2, $3, $4 WHERE (SELECT count(*) FROM pending_reports) < $5
         ON CONFLICT (id) DO UPDATE SET report = excluded.report, token = excluded.token RETURNING id`,
        [report.id, text, sealed(secret, text, token), requestId, mostKept],
      );
      if (rows.length === 0) throw new CustodyError('reports_full', 'too many reports wait for IAM');
    },
  };
}

/**
 * Processes the stored reports, oldest first, as if they arrived now: it validates the token and proves the call. It
 * drops reports that are refused or have waited too long.
 */
export async function retryPending(deps: RecorderDeps, now: number = Date.now()): Promise<void> {
  const { db, log } = deps;
  const old = await db.query<{ id: string }>(
    'DELETE FROM pending_reports WHERE received_at < $1 RETURNING id',
    [new Date(now - keptHours * 3_600_000)],
  );
  if (old.length > 0)
    log.warn({ count: old.length }, 'dropped reports because IAM did not validate their tokens in time');
  const kept = await db.query<Kept>(
    'SELECT id, report, token, request_id, received_at FROM pending_reports ORDER BY received_at, id LIMIT $1',
    [batch],
  );
  for (const one of kept) if ((await take(deps, one, now)) === 'away') return;
}

/** `away`: IAM still does not answer, so the next report need not be tried either. */
async function take(deps: RecorderDeps, one: Kept, now: number): Promise<'done' | 'later' | 'away'> {
  const { flexTokens, log } = deps;
  try {
    const viewer = await flexTokens.validate(opened(deps.secret, one.report, one.token));
    // The report's age is checked against the time at which it arrived.
    const report = parseReport(JSON.parse(one.report), one.received_at.getTime());
    await receive(deps, report, { by: 'function', viewer }, one.request_id, now);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'iam_unavailable') return 'away';
    if (isRetryable(error)) return 'later';
    log.warn({ report: one.id, code }, 'dropped a report that waited for IAM');
  }
  await drop(deps.db, one);
  return 'done';
}

const drop = (db: Pick<Db, 'query'>, { id }: Pick<Kept, 'id'>) =>
  db.query('DELETE FROM pending_reports WHERE id = $1', [id]);

const keyOf = (secret: Uint8Array): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, new Uint8Array(), 'flex-custody pending reports', 32));

/**
 * AES-256-GCM: nonce, tag, ciphertext. The report is authenticated with it, so that its token cannot be attached to
 * another report.
 */
function sealed(secret: Uint8Array, report: string, token: string): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', keyOf(secret), nonce).setAAD(Buffer.from(report));
  const text = Buffer.concat([cipher.update(token, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]);
}

/** @throws CustodyError `report_unreadable` if it was sealed under another secret, or altered */
function opened(secret: Uint8Array, report: string, token: Uint8Array): string {
  try {
    const bytes = Buffer.from(token);
    const decipher = createDecipheriv('aes-256-gcm', keyOf(secret), bytes.subarray(0, 12))
      .setAAD(Buffer.from(report))
      .setAuthTag(bytes.subarray(12, 28));
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw new CustodyError('report_unreadable', 'the token of a stored report cannot be decrypted', {
      cause,
    });
  }
}
