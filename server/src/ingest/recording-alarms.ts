import type { AlarmCode } from '../alarms/alarm-table.ts';

/** Alarms about a recording's copy: a verified copy resolves them. */
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
/** Alarms about its link: linking the recording resolves them. */
export const linkAlarms: readonly AlarmCode[] = [
  'link_refused',
  'link_failed',
  'attributes_full',
  'attributes_unreadable',
];
