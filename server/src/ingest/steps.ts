import type { ErrorCode, RecordingSid } from '@flex-custody/core';
import type { AlarmCode } from '../alarms/alarm-table.ts';
import type { IngestDeps, Log } from './deps.ts';

/** Steps of a recording's way. Whoever follows one live reads the log for `event: recording.<step>`. */
export type Step =
  | 'registered'
  | 'linked'
  | 'unlinked'
  | 'refused'
  | 'leased'
  | 'sealed'
  | 'verified'
  | 'proven'
  | 'rejected'
  | 'renewed'
  | 'absent'
  | 'source-deleted'
  | 'failed';

export interface StepFacts {
  /** Who copies, or has copied. */
  by?: 'function' | 'worker' | 'import';
  /** Of audio. */
  bytes?: number;
  ms?: number;
  /** Of `verified`: whether the copy is proven with it. */
  proven?: boolean;
  /** A stable code, never a message. */
  reason?: string;
}

export function logStep(log: Log, step: Step, recording: RecordingSid, facts: StepFacts = {}): void {
  log.info({ event: `recording.${step}`, recording, ...facts }, step);
}

/**
 * Faults of the host's own settings. They concern every recording and say nothing of any: none is thrown away for them.
 */
export const ownFaults: ReadonlySet<string> = new Set<ErrorCode>([
  'twilio_unauthorized',
  'media_unauthorized',
  'store_denied',
  'store_credentials',
  'store_region',
  'store_clock',
  'store_settings',
  'store_key',
  'store_full',
  'store_archived',
  'store_unsupported',
  'key_denied',
  'key_invalid',
  'key_missing',
  'key_credentials',
  'key_unsupported',
  'twilio_key_unknown',
  'twilio_key_wrong',
]);

/** Media that came to its end and was no whole recording. */
export const provenBad: ReadonlySet<string> = new Set<ErrorCode>([
  'media_not_audio',
  'media_empty',
  'media_short',
  'media_long',
  'media_tampered',
]);

const outages = new Set<ErrorCode>([
  'twilio_unavailable',
  'twilio_answer',
  'twilio_etag_missing',
  'media_unavailable',
  'media_stalled',
  'media_cut',
  'media_changed',
  'store_unavailable',
  'database_unavailable',
  'key_unavailable',
  'upload_gone',
  'stalled',
  // The process ended, again and again, or something of ours failed that has no name.
  'expired',
  'stopping',
  'unexpected',
]);

/**
 * What failed for these may succeed another day, without anybody having touched the recording: the outside world was
 * away, or the host's settings were wrong. Such dead letters are tried again by themselves.
 */
export const passingReasons: readonly string[] = [...ownFaults, ...outages];

/** Alarms about a recording's copy: a copy that is proven has mended what they were about. */
export const custodyAlarms: readonly AlarmCode[] = [
  'copy_failed',
  'verify_failed',
  'object_rejected',
  'object_lost',
  'object_unreadable',
  'import_refused',
  'twilio_key_unknown',
  'twilio_key_wrong',
  'twilio_encryption_unreadable',
  'twilio_not_stored',
  'source_deleted',
  'proof_failed',
];
/** Likewise about its link. */
export const linkAlarms: readonly AlarmCode[] = [
  'link_refused',
  'link_failed',
  'attributes_full',
  'attributes_unreadable',
];

/** Ends a recording's way as failed, unless it has ended already, and tells somebody. */
export async function giveUp(
  deps: Pick<IngestDeps, 'alarms' | 'catalog' | 'log'>,
  sid: RecordingSid,
  failure: string,
  alarm: { code: AlarmCode; detail: string },
): Promise<void> {
  if (!(await deps.catalog.giveUp(sid, failure))) return;
  await deps.alarms.raise(alarm.code, sid, alarm.detail);
  logStep(deps.log, 'failed', sid, { reason: failure });
}
