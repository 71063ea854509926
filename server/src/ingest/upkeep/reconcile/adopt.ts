import {
  CustodyError,
  isSealedAtRest,
  objectKey,
  type RecordingSid,
  type SealedObject,
  unprovenFacts,
} from '@flex-custody/core';
import type { TwilioRecording } from '@flex-custody/twilio';
import {
  type ObjectReader,
  openEnvelope,
  proveWhole,
  readWavHead,
  type Stored,
  secondsOf,
  type WavHead,
} from '@flex-custody/vault';
import type { Registration } from '../../../catalog/recording-row.ts';
import type { IngestDeps } from '../../deps.ts';
import { registrationOf } from '../../intake/source.ts';
import { ingestJobs } from '../../jobs.ts';
import { logStep } from '../../log-step.ts';

const leaseMs = 60_000;

type Deps = Pick<IngestDeps, 'alarms' | 'catalog' | 'config' | 'keys' | 'log' | 'queue' | 'store' | 'twilio'>;

interface Found {
  object: SealedObject;
  channels: 1 | 2;
  /** Seconds of its audio; undefined if its header does not state them. */
  seconds: number | undefined;
  /** `object_length`, if the object is not as long as its header states: only a new copy of the original can correct that. */
  fault?: CustodyError;
}

/**
 * Adopts an object that the catalog does not know. Any holder of the public key could have written it, so it proves only
 * its own format; the other facts come from Twilio, and its verification compares them. An object whose recording Twilio
 * does not know is adopted too, without an owner and with an alarm.
 * @throws CustodyError `envelope_*`, `object_*`, `store_*`, `key_*`, or `not_audio` if it is no recording;
 * `object_length` if it is incomplete, and Twilio has no original to copy again
 */
export async function adopt(deps: Deps, sid: RecordingSid): Promise<boolean> {
  const { alarms, catalog, config, log, queue, store } = deps;
  const stored = await store.head(objectKey(config.accountSid, sid));
  if (!stored) return false;
  if (!isSealedAtRest(store, stored))
    throw new CustodyError('object_unencrypted', `S3 does not state that ${sid} is encrypted by the KMS key`);
  const { object, channels, seconds, fault } = await examine(deps, sid, stored);
  const facts = await knownToTwilio(deps, sid);
  // If Twilio has the original, the object is adopted anyway: its verification then makes the host copy it again.
  if (fault && !facts) throw fault;
  const registration: Registration = facts
    ? registrationOf(facts, 'adopted')
    : {
        recordingSid: sid,
        accountSid: config.accountSid,
        channels,
        ...(seconds !== undefined && { durationSeconds: seconds }),
        // The start is unknown; it was not later than this.
        startedAt: stored.lastModified ?? new Date(),
        hints: {},
        source: 'adopted',
        unproven: unprovenFacts,
      };
  await catalog.register(registration);
  logStep(log, 'registered', sid);
  const lease = await catalog.lease(sid, 'reconcile', leaseMs);
  if (lease === undefined) return false;
  if (!(await catalog.sealed(sid, lease.secret, object, channels, 'adopted'))) return false;
  logStep(log, 'sealed', sid, { bytes: object.plaintextBytes });
  if (!facts)
    await alarms.raise(
      'object_unknown',
      sid,
      'the bucket has an object of it, and neither the catalog nor Twilio knows the recording',
    );
  await queue.send(ingestJobs.link, { recordingSid: sid });
  await queue.send(ingestJobs.verify, { recordingSid: sid });
  return true;
}

/** Twilio's facts about a recording of our account; undefined if Twilio has none, or states that nothing was recorded. */
export async function knownToTwilio(
  { config, twilio }: Pick<IngestDeps, 'config' | 'twilio'>,
  sid: RecordingSid,
): Promise<TwilioRecording | undefined> {
  const facts = await twilio.recording(sid);
  if (facts?.accountSid !== config.accountSid || facts.status === 'absent') return undefined;
  return facts;
}

/**
 * Reads the facts that an object's header and the header of its audio prove. The stated sizes are compared with the
 * object's size.
 * @param stored the version to read
 * @throws CustodyError `envelope_*`, `object_*`, `store_*`, `key_*`, or `not_audio` if it is no recording
 */
export async function examine(
  { config, keys, store }: Pick<IngestDeps, 'config' | 'keys' | 'store'>,
  sid: RecordingSid,
  stored: Stored,
): Promise<Found> {
  const key = objectKey(config.accountSid, sid);
  const reader: ObjectReader = {
    expectedBytes: stored.bytes,
    read: (start, end, signal) =>
      store.get(key, {
        start,
        end,
        ifMatch: stored.etag,
        ...(stored.versionId !== undefined && { versionId: stored.versionId }),
        ...(signal && { signal }),
      }),
  };
  const opened =
    store.mode === 'envelope' && keys
      ? await openEnvelope(keys, reader, { account: config.accountSid, recording: sid })
      : undefined;
  const plaintextBytes = opened?.plaintextBytes ?? stored.bytes;
  const head = await readWavHead(plaintextBytes, async (start, end) =>
    opened ? opened.read(start, end) : (await reader.read(start, end)).body,
  );
  const { layout, refusal = 'its samples do not begin' } = head;
  if (!layout) throw new CustodyError('not_audio', `the object is no recording: ${refusal}`);
  const fault = lengthFault(head, plaintextBytes);
  const there = plaintextBytes - layout.dataStart;
  return {
    object: {
      key,
      mode: store.mode,
      ...(stored.versionId !== undefined && { versionId: stored.versionId }),
      etag: stored.etag,
      bytes: stored.bytes,
      plaintextBytes,
      keyId: opened?.keyId ?? stored.kmsKeyId ?? 'bucket-default',
    },
    channels: layout.channels === 2 ? 2 : 1,
    seconds: secondsOf(layout, Math.min(layout.dataBytes ?? there, there)),
    ...(fault && { fault }),
  };
}

/** Why the audio is not as long as its header states. For a source this may be temporary; for a stored object it is final. */
function lengthFault(head: WavHead, bytes: number): CustodyError | undefined {
  try {
    proveWhole(head, bytes, {});
    return undefined;
  } catch (error) {
    return new CustodyError('object_length', (error as Error).message, { cause: error });
  }
}
