import type { SealedObject } from '../sealed-object.ts';
import { asBoolean, asWhole, type Fields, oneOf, parseFields, textOf } from './fields.ts';

/** Body of `POST /ingest/recordings/RE…/report`: how a Function's lease ended. */
export type CopyReport =
  | { outcome: 'sealed'; lease: string; object: SealedObject; channels: 1 | 2; tookMs: number }
  | { outcome: 'handed-back'; lease: string; reason: 'too-long' | 'out-of-time' }
  | { outcome: 'failed'; lease: string; code: string; retryable: boolean }
  | { outcome: 'forwarded' };

const asPrintable = textOf(/^[\x21-\x7e]{1,1024}$/);

/** @throws CustodyError `copy_report_invalid` (400) that names each field at fault, without its value */
export function parseCopyReport(body: unknown): CopyReport {
  return parseFields(body, { what: 'report', code: 'copy_report_invalid' }, ({ needed, within }) => {
    const outcome = needed('outcome', oneOf('sealed', 'handed-back', 'failed', 'forwarded'));
    switch (outcome) {
      case 'sealed':
        return {
          outcome,
          lease: needed('lease', asPrintable),
          object: objectOf(within('object')),
          channels: needed('channels', oneOf(1, 2)),
          tookMs: needed('tookMs', asWhole),
        };
      case 'handed-back':
        return {
          outcome,
          lease: needed('lease', asPrintable),
          reason: needed('reason', oneOf('too-long', 'out-of-time')),
        };
      case 'failed':
        return {
          outcome,
          lease: needed('lease', asPrintable),
          code: needed('code', textOf(/^[a-z0-9_]{1,64}$/)),
          retryable: needed('retryable', asBoolean),
        };
      default:
        return { outcome: 'forwarded' };
    }
  });
}

/** Without `parts`: by their digests a host proves its own copies, so no Function may state them. */
const objectOf = ({ needed, optional }: Fields): SealedObject => ({
  key: needed('key', asPrintable),
  mode: needed('mode', oneOf('envelope', 'sse-kms')),
  ...optional('versionId', asPrintable),
  etag: needed('etag', asPrintable),
  bytes: needed('bytes', asWhole),
  plaintextBytes: needed('plaintextBytes', asWhole),
  plaintextSha256: needed('plaintextSha256', textOf(/^[0-9a-f]{64}$/)),
  keyId: needed('keyId', asPrintable),
});
