import { buffer } from 'node:stream/consumers';
import { asRecordingSid, CustodyError, errorCode, isRetryable, type RecordingSid } from '@flex-custody/core';
import { createStore, openStoredMedia, type Store, type StoreConfig } from '@flex-custody/vault';
import type { Registration } from '../../catalog/catalog.ts';
import type { Config } from '../../config.ts';
import type { Run } from '../../runs/runs.ts';
import { copyUnderLease, workerLeaseMs } from '../copy-under-lease.ts';
import type { IngestParts } from '../parts.ts';
import { registrationOf } from '../source.ts';
import { giveUp, provenBad } from '../steps.ts';
import { createTally, type Tally } from './tally.ts';
import { wavLayout } from './wav-layout.ts';

export interface ImportOptions {
  /** `s3://bucket/prefix`. */
  from: string;
  /** Where that bucket is, if not where the host's own is. */
  endpoint?: string;
  region?: string;
  dryRun?: boolean;
  /** Removes what lies there in plain, of recordings whose sealed copy is verified. */
  deletePlain?: boolean;
}

export type ImportParts = IngestParts & { config: Pick<Config, 'store'> };

const headBytes = 4_096;

interface Plain {
  sid: RecordingSid;
  key: string;
  bytes: number;
  etag: string;
  lastModified: Date;
}

/** @throws CustodyError `from_invalid` */
export function readFrom(from: string): { bucket: string; prefix: string } {
  const [, bucket, prefix = ''] = /^s3:\/\/([A-Za-z0-9._-]{3,255})(?:\/(.*))?$/.exec(from) ?? [];
  if (bucket === undefined) throw new CustodyError('from_invalid', 'it is s3://bucket or s3://bucket/prefix');
  return { bucket, prefix };
}

/**
 * Seals what an older set-up has stored in plain: objects whose names are recordings' SIDs, with `.wav` or without. Each
 * goes the way of any other recording, and is verified; the plain object stays until somebody asks for its deletion.
 */
export async function importPlain(parts: ImportParts, run: Run): Promise<void> {
  const options = run.options as unknown as ImportOptions;
  const { bucket, prefix } = readFrom(options.from);
  const tally = createTally(run.counts);
  const config: StoreConfig = {
    ...parts.config.store,
    bucket,
    ...(options.endpoint !== undefined && { endpoint: options.endpoint, pathStyle: true }),
    ...(options.region !== undefined && { region: options.region }),
  };
  const plain = createStore(config);
  const after = typeof run.state?.['after'] === 'string' ? run.state['after'] : undefined;
  try {
    for await (const { key, bytes, etag, lastModified } of plain.list(prefix)) {
      if (after !== undefined && key <= after) continue;
      run.signal.throwIfAborted();
      const [, name, ending] = /(?:^|\/)(RE[0-9a-f]{32})(\.\w+)?$/.exec(key) ?? [];
      const sid = asRecordingSid(name);
      if (!sid) tally.count('other');
      else if (ending !== undefined && ending !== '.wav') tally.count(`not_wav_${ending.slice(1)}`);
      else await importOne(parts, plain, { sid, key, bytes, etag, lastModified }, options, tally, run.signal);
      tally.count('done');
      await run.save({ after: key }, tally.counts);
    }
  } finally {
    plain.close();
  }
}

async function importOne(
  parts: ImportParts,
  plain: Store,
  object: Plain,
  { dryRun, deletePlain }: ImportOptions,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  const { catalog, queue } = parts;
  const { sid } = object;
  const known = await catalog.find(sid);
  if (known?.state === 'erased') {
    // What was erased is not taken in again, and its plain copy is one of those that were to go.
    tally.count('erased');
    if (!deletePlain || dryRun) return;
    await deleteAll(plain, object.key);
    tally.count('plain_deleted');
    return;
  }
  if (known && known.state !== 'registered' && known.state !== 'failed') {
    tally.count(known.state === 'verified' ? 'verified' : 'underway');
    const isOwn = object.key === known.object?.key && plain.bucket === parts.store.bucket;
    if (known.state !== 'verified' || !deletePlain || dryRun || isOwn) return;
    if (object.bytes !== known.object?.plaintextBytes) return tally.count('plain_differs');
    await deleteAll(plain, object.key);
    tally.count('plain_deleted');
    return;
  }
  try {
    const { channels, registration } = await examine(parts, plain, object);
    tally.count('to_import');
    if (dryRun) return;
    await catalog.register(registration);
    if (known?.state === 'failed') await catalog.replayed(sid);
    const lease = await catalog.lease(sid, 'import', workerLeaseMs);
    if (lease === undefined) return tally.count('underway');
    const { accountSid, durationSeconds } = registration;
    await copyUnderLease(
      parts,
      {
        source: {
          accountSid,
          recordingSid: sid,
          channels,
          ...(durationSeconds !== undefined && { durationSeconds }),
        },
        open: ({ range }) =>
          openStoredMedia(plain, { ...object, channels }, { signal, ...(range && { range }) }),
        lease,
        by: 'import',
      },
      signal,
    );
    await queue.send('link', { recordingSid: sid }, { once: sid });
    tally.count('imported');
  } catch (error) {
    const code = errorCode(error);
    if (signal.aborted || (isRetryable(error) && !provenBad.has(code))) throw error;
    tally.count(`refused_${code}`);
    if (dryRun) return;
    await giveUp(parts, sid, code, { code: 'import_refused', detail: code });
  }
}

/** With every version: on a bucket that keeps them the audio would else stay readable behind a marker. */
async function deleteAll(plain: Store, key: string): Promise<void> {
  for await (const version of plain.versions(key)) {
    if (version.key === key) await plain.delete(key, version.versionId);
  }
}

/** Twilio's facts where it still has the recording; else what the audio says, and when it was stored. */
async function examine(
  { config, twilio }: ImportParts,
  plain: Store,
  { sid, key, etag, lastModified }: Plain,
): Promise<{ channels: 1 | 2; registration: Registration }> {
  const { body, totalBytes } = await plain.get(key, { start: 0, end: headBytes - 1, ifMatch: etag });
  const layout = wavLayout(await buffer(body));
  const channels = layout.channels === 2 ? 2 : 1;
  const facts = await twilio.recording(sid);
  if (facts?.accountSid === config.accountSid && facts.status !== 'absent')
    return { channels, registration: { ...registrationOf(facts, 'import'), channels } };
  const seconds =
    layout.byteRate > 0 ? (layout.dataBytes ?? totalBytes - layout.dataStart) / layout.byteRate : undefined;
  return {
    channels,
    registration: {
      recordingSid: sid,
      accountSid: config.accountSid,
      channels,
      ...(seconds !== undefined && { durationSeconds: Math.round(seconds) }),
      startedAt: new Date(lastModified.getTime() - (seconds ?? 0) * 1_000),
      hints: {},
      source: 'import',
    },
  };
}
