import type { ErrorCode } from '@flex-custody/core';

/**
 * Faults of the host's own settings. They concern every recording and are no evidence against one, so no copy is removed
 * because of them.
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

/** Media that was read to its end and is not a whole recording. */
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
  // The process ended again and again, or an error without a code occurred.
  'expired',
  'stopping',
  'unexpected',
]);

/**
 * Reasons that may pass without a change of the recording: an outage, or wrong settings of the host. The janitor retries
 * such dead letters.
 */
export const passingReasons: readonly string[] = [...ownFaults, ...outages];
