import type { ErrorCode } from '@flex-custody/core';

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
