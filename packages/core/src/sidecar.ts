import { isAnalysis, type RecordingAnalysis } from './analysis.ts';
import { CustodyError } from './errors.ts';
import { isObject } from './json-fields.ts';
import { type CallDirection, callDirections } from './recording-rules.ts';
import { type CopyProof, type UnprovenFact, unprovenFacts } from './recording-state.ts';
import type { SealedObject } from './sealed-object.ts';
import {
  type AccountSid,
  asAccountSid,
  asCallSid,
  asConferenceSid,
  asRecordingSid,
  asReservationSid,
  asTaskSid,
  asWorkerSid,
  type CallSid,
  type ConferenceSid,
  type RecordingSid,
  type ReservationSid,
  type TaskSid,
  type WorkerSid,
} from './sids.ts';

/**
 * What is stored, sealed, beside each recording, so that a lost catalog can be rebuilt from the bucket alone.
 */
export interface Sidecar {
  version: 1;
  recordingSid: RecordingSid;
  accountSid: AccountSid;
  callSid?: CallSid;
  conferenceSid?: ConferenceSid;
  taskSid?: TaskSid;
  reservationSid?: ReservationSid;
  workerSid?: WorkerSid;
  queue?: string;
  direction?: CallDirection;
  /**
   * A keyed digest of the caller's number, `k3f9a2b1c:…`, which names its secret; of earlier releases, the digest alone.
   * A digest under another secret than the reader's counts as an unknown caller.
   */
  caller?: string;
  channels: 1 | 2;
  durationSeconds?: number;
  /** ISO 8601, as all times here. */
  startedAt: string;
  source: string;
  object: SealedObject;
  verifiedAt?: string;
  /** When the original at Twilio was deleted. */
  sourceDeletedAt?: string;
  /** See {@link CopyProof}. */
  proof?: CopyProof;
  /** See {@link UnprovenFact}; absent where all are proven or unknown. */
  unproven?: readonly UnprovenFact[];
  /** Its peaks and talk metrics; null where they could not be computed. */
  analysis?: RecordingAnalysis | null;
}

/** Its fields that may be absent: {@link readSidecar} checks each. */
type Optional = {
  [K in keyof Sidecar]-?: object extends Pick<Sidecar, K> ? K : never;
}[keyof Sidecar];

/** Key of a recording's sidecar in the bucket. */
export function sidecarKey(accountSid: AccountSid, recordingSid: RecordingSid): string {
  return `recordings/${accountSid}/${recordingSid}.json`;
}

const isTime = (value: unknown): value is string =>
  typeof value === 'string' && !Number.isNaN(Date.parse(value));

function isProof(value: unknown): value is CopyProof {
  if (!isObject(value)) return false;
  const { at, host, by, how, mono } = value;
  return (
    isTime(at) &&
    typeof host === 'string' &&
    (by === 'copy' || by === 'second-look') &&
    (how === 'sha256' || how === 'samples') &&
    (mono === undefined || mono === true)
  );
}

/**
 * Reads a sidecar's text.
 * @throws CustodyError `sidecar_invalid` that names the field at fault, without its value
 */
export function readSidecar(text: string): Sidecar {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw invalid('it is no JSON');
  }
  if (!isObject(json)) throw invalid('it is no object');
  if (json['version'] !== 1) throw invalid('a newer program wrote it: run that release');
  const needed = <T>(name: string, value: T | undefined): T => {
    if (value === undefined) throw invalid(`${name} is missing or malformed`);
    return value;
  };
  needed('recordingSid', asRecordingSid(json['recordingSid']));
  needed('accountSid', asAccountSid(json['accountSid']));
  const optional: Readonly<Record<Optional, (value: unknown) => unknown>> = {
    callSid: asCallSid,
    conferenceSid: asConferenceSid,
    taskSid: asTaskSid,
    reservationSid: asReservationSid,
    workerSid: asWorkerSid,
    durationSeconds: (value) => (typeof value === 'number' ? value : undefined),
    queue: (value) => (typeof value === 'string' ? value : undefined),
    direction: (value) => callDirections.find((known) => known === value),
    caller: (value) => (typeof value === 'string' ? value : undefined),
    verifiedAt: (value) => (isTime(value) ? value : undefined),
    sourceDeletedAt: (value) => (isTime(value) ? value : undefined),
    proof: (value) => (isProof(value) ? true : undefined),
    unproven: (value) =>
      Array.isArray(value) && value.every((one) => unprovenFacts.includes(one)) ? true : undefined,
    analysis: (value) => (value === null || isAnalysis(value) ? true : undefined),
  };
  for (const [name, as] of Object.entries(optional)) {
    if (json[name] !== undefined) needed(name, as(json[name]));
  }
  needed('startedAt', isTime(json['startedAt']) ? true : undefined);
  needed('channels', json['channels'] === 1 || json['channels'] === 2 ? true : undefined);
  const { object } = json;
  const shaped =
    isObject(object) &&
    typeof object['key'] === 'string' &&
    typeof object['etag'] === 'string' &&
    Number.isSafeInteger(object['bytes']) &&
    Number.isSafeInteger(object['plaintextBytes']);
  needed('object', shaped ? true : undefined);
  return json as unknown as Sidecar;
}

function invalid(how: string): CustodyError {
  return new CustodyError('sidecar_invalid', `a sidecar cannot be read: ${how}`);
}
