import {
  asRecordingSid,
  CustodyError,
  errorCode,
  isRetryable,
  type RecordingSid,
  unprovenFacts,
} from '@flex-custody/core';
import type { TwilioRecording } from '@flex-custody/twilio';
import {
  createStore,
  type HeaderRepair,
  openStoredMedia,
  proveWhole,
  readWavHead,
  repairOf,
  type Store,
  type StoreConfig,
  secondsOf,
} from '@flex-custody/vault';
import { withGatheredAlarms } from '../../../alarms/gather-alarms.ts';
import type { RecordingRow, Registration } from '../../../catalog/recording-row.ts';
import type { Config } from '../../../config.ts';
import type { Run } from '../../../runs/runs.ts';
import { copyUnderLease, workerLeaseMs } from '../../copy/copy-under-lease.ts';
import type { IngestDeps } from '../../deps.ts';
import { ownFaults, provenBad } from '../../failures.ts';
import { registrationOf, settleUncopyable } from '../../intake/source.ts';
import { ingestJobs } from '../../jobs.ts';
import { logStep } from '../../log-step.ts';
import { removePlain, sha256Of, withoutMedia } from './remove-plain.ts';
import { createTally, type Tally } from './tally.ts';

export interface ImportOptions {
  /** `s3://bucket/prefix`. */
  from: string;
  /** Endpoint of that bucket, if not the host's own. */
  endpoint?: string;
  region?: string;
  dryRun?: boolean;
  /** Imports complete audio whose header states wrong sizes, with a corrected header. */
  repairHeader?: boolean;
  /** Deletes objects that were imported, or have the same bytes as a proven copy: see {@link removePlain}. */
  deletePlain?: boolean;
}

export type ImportDeps = IngestDeps & { config: Pick<Config, 'store'> };

interface Plain {
  sid: RecordingSid;
  key: string;
  bytes: number;
  etag: string;
  lastModified: Date;
}

/** @throws CustodyError `from_invalid` */
export function readFrom(from: string): { bucket: string; prefix: string } {
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(from) ?? [];
  if (bucket === undefined)
    throw new CustodyError('from_invalid', '--from takes s3://bucket or s3://bucket/prefix');
  if (!/^[A-Za-z0-9._-]{3,255}$/.test(bucket))
    throw new CustodyError(
      'from_invalid',
      `--from names no bucket: a bucket's name has at least 3 characters, of A-Z a-z 0-9 . _ - (s3://bucket/prefix)`,
    );
  return { bucket, prefix };
}

/**
 * Imports the unencrypted objects of an older system, whose names are recordings' SIDs, with or without `.wav`. A
 * recording that Twilio still has is copied from Twilio, because others may have written the object; the others are
 * sealed as they are. Each is linked and verified like any other recording, and its object is noted; the object stays
 * until an operator asks for its deletion.
 */
export async function importPlain(deps: ImportDeps, run: Run): Promise<void> {
  await withGatheredAlarms(deps, (all) => takeIn(all, run));
}

async function takeIn(deps: ImportDeps, run: Run): Promise<void> {
  const options = run.options as unknown as ImportOptions;
  const { bucket, prefix } = readFrom(options.from);
  const tally = createTally(run);
  const config: StoreConfig = {
    ...deps.config.store,
    bucket,
    ...(options.endpoint !== undefined && { endpoint: options.endpoint, pathStyle: true }),
    ...(options.region !== undefined && { region: options.region }),
  };
  const plain = createStore(config);
  const after = typeof run.state?.['after'] === 'string' ? run.state['after'] : undefined;
  try {
    for await (const { key, bytes, etag, lastModified } of plain.list(prefix, { after })) {
      run.signal.throwIfAborted();
      const [, name, ending] = /(?:^|\/)(RE[0-9a-f]{32})(\.\w+)?$/.exec(key) ?? [];
      const sid = asRecordingSid(name);
      if (!sid) tally.count('other');
      else if (ending !== undefined && ending !== '.wav') tally.count(`not_wav_${ending.slice(1)}`);
      else await importOne(deps, plain, { sid, key, bytes, etag, lastModified }, options, tally, run.signal);
      tally.count('done');
      await run.save({ after: key, ...tally.named }, tally.counts);
    }
  } finally {
    plain.close();
  }
  const orphans = tally.counts['without_twilio'] ?? 0;
  // One alarm for all, because an archive of years has tens of thousands of them.
  if (orphans > 0)
    await deps.alarms.raise(
      'import_without_twilio',
      undefined,
      `Twilio no longer has ${orphans} of the imported recordings: their calls and their start are unproven`,
    );
}

type OneOptions = Pick<ImportOptions, 'dryRun' | 'deletePlain' | 'repairHeader'>;

async function importOne(
  deps: ImportDeps,
  plain: Store,
  object: Plain,
  options: OneOptions,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  const { catalog, queue } = deps;
  const { dryRun } = options;
  const { sid } = object;
  const known = await catalog.find(sid);
  if (known && known.state !== 'registered' && known.state !== 'failed')
    return settleKnown(deps, plain, object, known, options, tally, signal);
  try {
    const found = await deps.twilio.recording(sid);
    const facts = found?.accountSid === deps.config.accountSid ? found : undefined;
    if (facts && !withoutMedia.has(facts.status)) {
      tally.count('from_twilio');
      if (!dryRun) await copyFromTwilio(deps, facts, known);
      return;
    }
    const { channels, fault, registration, repair, versionId } = await examine(
      deps,
      plain,
      object,
      facts,
      options,
    );
    if (fault !== undefined) {
      if (!dryRun) await catalog.register(registration);
      throw fault;
    }
    tally.count('to_import');
    if (repair) tally.count('to_repair');
    if (dryRun) return;
    const { accountSid, durationSeconds } = registration;
    const { key, etag } = object;
    const very = { key, etag, ...(versionId !== undefined && { versionId }) };
    const own = repair && (await ownDigest(plain, very, signal));
    await catalog.register(registration);
    if (known?.state === 'failed') await catalog.replayed(sid);
    const lease = await catalog.lease(sid, 'import', deps.workerLeaseMs ?? workerLeaseMs);
    if (lease === undefined) return tally.count('underway');
    await copyUnderLease(
      deps,
      {
        source: {
          accountSid,
          recordingSid: sid,
          channels,
          ...(durationSeconds !== undefined && { durationSeconds }),
        },
        open: ({ range }, halted) =>
          openStoredMedia(plain, { ...very, channels }, { signal: halted, repair, ...(range && { range }) }),
        lease,
        by: 'import',
        onSealed: ({ plaintextSha256: sha256 }) =>
          sha256 === undefined
            ? Promise.resolve()
            : catalog.noteImport(sid, {
                bucket: plain.bucket,
                ...very,
                sha256: own ?? sha256,
                ...(own !== undefined && { repairedSha256: sha256 }),
              }),
      },
      signal,
    );
    await queue.send(ingestJobs.link, { recordingSid: sid });
    tally.count('imported');
    if (repair) {
      tally.count('repaired');
      deps.log.info({ event: 'import.repaired', recording: sid, key }, 'imported with a corrected header');
    }
    if (!facts) tally.count('without_twilio');
  } catch (error) {
    const code = errorCode(error);
    // A wrong setting concerns every object; only a storage class of archives can concern a single one.
    const isOurs = isRetryable(error) || (ownFaults.has(code) && code !== 'store_archived');
    if (signal.aborted || (isOurs && !provenBad.has(code))) throw error;
    const reason = (error as Error).message;
    tally.count(`refused_${code}`);
    tally.name(object.key, `refused (${code}): ${reason}`);
    deps.log.warn({ event: 'import.refused', recording: sid, key: object.key, code, reason }, 'not imported');
    if (dryRun) return;
    if (await catalog.giveUp(sid, code)) logStep(deps.log, 'failed', sid, { reason: code });
    await deps.alarms.raise('import_refused', sid, code);
  }
}

/** Counts a recording that is copied already, or is erased; deletes its plain object if the operator asked for that. */
async function settleKnown(
  deps: ImportDeps,
  plain: Store,
  { key }: Plain,
  known: RecordingRow,
  { dryRun, deletePlain }: OneOptions,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  const { state } = known;
  const isSettled = state === 'erased' || state === 'verified';
  tally.count(isSettled ? state : 'underway');
  if (deletePlain && !dryRun && isSettled) tally.count(await removePlain(deps, plain, key, known, signal));
}

/** Copies as after a missed callback. A failed recording with an object in the bucket is verified again instead. */
async function copyFromTwilio(
  deps: ImportDeps,
  facts: TwilioRecording,
  known: RecordingRow | undefined,
): Promise<void> {
  const { catalog, queue } = deps;
  const { recordingSid } = await catalog.register(registrationOf(facts, 'import'));
  const begun = known?.state === 'failed' ? await catalog.replayed(recordingSid) : 'registered';
  if (await settleUncopyable(deps, recordingSid, facts)) return;
  await queue.send(ingestJobs.link, { recordingSid });
  await queue.send(
    begun === 'sealed' ? ingestJobs.verify : ingestJobs.copy,
    { recordingSid },
    { once: 'now' },
  );
}

interface Examined {
  channels: 1 | 2;
  registration: Registration;
  versionId: string | undefined;
  repair?: HeaderRepair | undefined;
  /** `media_*`: why it is not a whole recording. */
  fault?: unknown;
}

/**
 * Twilio's facts, if Twilio still lists the recording without its media; otherwise the facts of the audio and the time of
 * the object, which are guesses, so all are unproven. The stated sizes are compared with the object's size.
 * @throws CustodyError `media_empty`, `not_audio`, `object_*`, `store_*`
 */
async function examine(
  { config }: ImportDeps,
  plain: Store,
  { sid, key, etag, lastModified, bytes }: Plain,
  facts: TwilioRecording | undefined,
  { repairHeader }: OneOptions,
): Promise<Examined> {
  let versionId: string | undefined;
  const head = await readWavHead(bytes, async (start, end) => {
    const got = await plain.get(key, {
      start,
      end,
      ifMatch: etag,
      ...(versionId !== undefined && { versionId }),
    });
    ({ versionId } = got);
    return got.body;
  });
  const { layout } = head;
  if (bytes === 0) proveWhole(head, bytes, {});
  if (!layout)
    throw new CustodyError('not_audio', `the object is no recording: ${head.refusal ?? 'it has no samples'}`);
  const channels = layout.channels === 2 ? 2 : 1;
  const there = bytes - layout.dataStart;
  const registration = facts
    ? registrationBy(facts, channels)
    : guessed(config.accountSid, sid, {
        channels,
        seconds: secondsOf(layout, Math.min(layout.dataBytes ?? there, there)),
        lastModified,
      });
  // Only Twilio's length can be compared with the audio: the other one was calculated from the audio itself.
  const stated = facts && registration.durationSeconds;
  const prove = (of: typeof head.layout) =>
    faultOf(() =>
      proveWhole({ layout: of, refusal: head.refusal }, bytes, {
        ...(stated !== undefined && { durationSeconds: stated }),
      }),
    );
  const fault = prove(layout);
  const repair = fault !== undefined && repairHeader ? repairOf(layout, bytes) : undefined;
  if (repair && prove(repair.layout) === undefined) return { channels, registration, versionId, repair };
  return { channels, registration, versionId, fault };
}

function faultOf(look: () => void): unknown {
  try {
    look();
    return undefined;
  } catch (error) {
    return error;
  }
}

function registrationBy(facts: TwilioRecording, channels: 1 | 2): Registration {
  const { durationSeconds, ...registration } = registrationOf(facts, 'import');
  // For an absent recording Twilio states no length.
  const length = facts.status !== 'absent' && durationSeconds !== undefined ? { durationSeconds } : {};
  return { ...registration, ...length, channels };
}

function guessed(
  accountSid: Registration['accountSid'],
  recordingSid: RecordingSid,
  { channels, seconds, lastModified }: { channels: 1 | 2; seconds: number | undefined; lastModified: Date },
): Registration {
  return {
    recordingSid,
    accountSid,
    channels,
    ...(seconds !== undefined && { durationSeconds: Math.round(seconds) }),
    startedAt: new Date(lastModified.getTime() - (seconds ?? 0) * 1_000),
    hints: {},
    source: 'import',
    unproven: unprovenFacts,
  };
}

/** The digest of the stored object: the sealed audio has another header. */
async function ownDigest(
  plain: Store,
  very: Parameters<typeof sha256Of>[1],
  signal: AbortSignal,
): Promise<string> {
  const digest = await sha256Of(plain, very, signal);
  if (digest === undefined)
    throw new CustodyError('object_changed', 'the object was replaced while the host read it');
  return digest;
}
