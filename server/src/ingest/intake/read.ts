import {
  asRecordingSid,
  type CopyReport,
  CustodyError,
  type ErrorCode,
  isObject,
  parseRecordingCallback,
  type RecordingCallback,
  type SealedObject,
} from '@flex-custody/core';

type Json = Readonly<Record<string, unknown>>;

function parse(text: string, code: ErrorCode): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (!isObject(value)) throw new CustodyError(code, 'the body is no JSON object');
  return value;
}

/**
 * Reads the body of `POST /ingest/recordings`. A signature says who speaks, not that it is well-formed: every field goes
 * through the same rules as the form it came from.
 * @throws CustodyError `callback_invalid` (400)
 */
export function readCallback(text: string): RecordingCallback {
  const body = parse(text, 'callback_invalid');
  const hints = isObject(body['hints']) ? body['hints'] : {};
  return parseRecordingCallback({
    AccountSid: body['accountSid'],
    RecordingSid: body['recordingSid'],
    RecordingStatus: body['status'],
    CallSid: body['callSid'],
    ConferenceSid: body['conferenceSid'],
    ErrorCode: body['errorCode'],
    taskSid: hints['taskSid'],
    reservationSid: hints['reservationSid'],
  });
}

class Reader {
  readonly wrong: string[] = [];
  constructor(private readonly json: Json) {}

  text(name: string, shape: RegExp): string {
    const value = this.json[name];
    if (typeof value === 'string' && shape.test(value)) return value;
    this.wrong.push(name);
    return '';
  }

  whole(name: string): number {
    const value = this.json[name];
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    this.wrong.push(name);
    return 0;
  }

  one<T>(name: string, ...allowed: readonly T[]): T {
    const found = allowed.find((each) => each === this.json[name]);
    if (found === undefined) this.wrong.push(name);
    return found as T;
  }
}

const printable = /^[\x21-\x7e]{1,1024}$/;

function readObject(json: unknown, wrong: string[]): SealedObject {
  const reader = new Reader(isObject(json) ? json : {});
  const versionId = isObject(json) ? json['versionId'] : undefined;
  const object: SealedObject = {
    key: reader.text('key', printable),
    mode: reader.one('mode', 'envelope', 'sse-kms'),
    ...(versionId === undefined ? {} : { versionId: reader.text('versionId', printable) }),
    etag: reader.text('etag', printable),
    bytes: reader.whole('bytes'),
    plaintextBytes: reader.whole('plaintextBytes'),
    plaintextSha256: reader.text('plaintextSha256', /^[0-9a-f]{64}$/),
    keyId: reader.text('keyId', printable),
  };
  wrong.push(...reader.wrong.map((name) => `object.${name}`));
  return object;
}

function readOutcome(json: Json, reader: Reader): CopyReport {
  const outcome = reader.one<CopyReport['outcome']>(
    'outcome',
    'sealed',
    'handed-back',
    'failed',
    'forwarded',
  );
  switch (outcome) {
    case 'sealed':
      return {
        outcome,
        lease: reader.text('lease', printable),
        object: readObject(json['object'], reader.wrong),
        channels: reader.one('channels', 1, 2),
        tookMs: reader.whole('tookMs'),
      };
    case 'handed-back':
      return {
        outcome,
        lease: reader.text('lease', printable),
        reason: reader.one('reason', 'too-long', 'out-of-time'),
      };
    case 'failed':
      return {
        outcome,
        lease: reader.text('lease', printable),
        code: reader.text('code', /^[a-z0-9_]{1,64}$/),
        retryable: reader.one('retryable', true, false),
      };
    default:
      return { outcome: 'forwarded' };
  }
}

/**
 * Reads the body of `POST /ingest/recordings/RE…/report`.
 * @throws CustodyError `copy_report_invalid` (400) that names each field at fault, without its value
 */
export function readReport(text: string): CopyReport {
  const json = parse(text, 'copy_report_invalid');
  const reader = new Reader(json);
  const report = readOutcome(json, reader);
  if (reader.wrong.length > 0) {
    throw new CustodyError('copy_report_invalid', `report: missing or malformed ${reader.wrong.join(', ')}`);
  }
  return report;
}

/** @throws CustodyError `recording_sid_invalid` (400) */
export function readRecordingSid(value: unknown) {
  const sid = asRecordingSid(value);
  if (!sid) throw new CustodyError('recording_sid_invalid', 'not a recording SID');
  return sid;
}
