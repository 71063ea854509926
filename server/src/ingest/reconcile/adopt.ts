import { buffer } from 'node:stream/consumers';
import type { RecordingSid, SealedObject } from '@flex-custody/core';
import { type ObjectReader, openEnvelope, type Stored } from '@flex-custody/vault';
import type { Registration } from '../../catalog/catalog.ts';
import type { IngestParts } from '../parts.ts';
import { registrationOf } from '../source.ts';
import { logStep } from '../steps.ts';
import { wavLayout } from './wav-layout.ts';

const leaseMs = 60_000;
const headBytes = 4_096;

type Parts = Pick<IngestParts, 'catalog' | 'config' | 'keys' | 'log' | 'queue' | 'store' | 'twilio'>;

interface Found {
  object: SealedObject;
  channels: 1 | 2;
  /** Of its audio; undefined where its head does not say. */
  seconds: number | undefined;
}

/**
 * Takes an object that no catalog knows into this one: what its header and its audio's head prove it to be, with Twilio's
 * facts where Twilio still has the recording. It counts as sealed, and is verified like any other.
 * @throws CustodyError `envelope_*`, `object_*`, `store_*`, `key_*`, or `not_audio` for what is no recording
 */
export async function adopt(parts: Parts, sid: RecordingSid, key: string): Promise<boolean> {
  const { catalog, config, log, queue, store, twilio } = parts;
  const stored = await store.head(key);
  if (!stored) return false;
  const { object, channels, seconds } = await examine(parts, sid, key, stored);
  const facts = await twilio.recording(sid);
  const registration: Registration =
    facts && facts.accountSid === config.accountSid
      ? registrationOf(facts, 'adopted')
      : {
          recordingSid: sid,
          accountSid: config.accountSid,
          channels,
          ...(seconds !== undefined && { durationSeconds: seconds }),
          // Nobody knows better: it was there by then.
          startedAt: stored.lastModified ?? new Date(),
          hints: {},
          source: 'adopted',
        };
  await catalog.register(registration);
  logStep(log, 'registered', sid);
  const lease = await catalog.lease(sid, 'reconcile', leaseMs);
  if (lease === undefined) return false;
  if (!(await catalog.sealed(sid, lease.secret, object, channels, 'adopted'))) return false;
  logStep(log, 'sealed', sid, { bytes: object.plaintextBytes });
  await queue.send('link', { recordingSid: sid }, { once: sid });
  await queue.send('verify', { recordingSid: sid }, { once: sid });
  return true;
}

async function examine(
  { config, keys, store }: Parts,
  sid: RecordingSid,
  key: string,
  stored: Stored,
): Promise<Found> {
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
  const end = Math.min(headBytes, plaintextBytes) - 1;
  const head = await buffer(opened ? opened.read(0, end) : (await reader.read(0, end)).body);
  const layout = wavLayout(head);
  const dataBytes = layout.dataBytes ?? plaintextBytes - layout.dataStart;
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
    seconds: layout.byteRate > 0 ? dataBytes / layout.byteRate : undefined,
  };
}
