import type { RecordChange } from '../secrets/sealed-secrets.ts';
import { createAudit, operator } from './audit.ts';

/** Writes that a secret was set or removed: who and which, never its value. */
export const recordSecretChange: RecordChange = (inner, { action, name, by }) =>
  createAudit(inner).record({
    viewer: by === 'cli' ? operator : { identity: by, roles: [] },
    action,
    subject: { kind: 'secret', sid: name },
    allowed: true,
    reason: by === 'cli' ? 'by the command line' : 'by the settings in Flex',
  });
