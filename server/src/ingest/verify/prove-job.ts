import { CustodyError, errorCode, type RecordingSid, type SealedObject } from '@flex-custody/core';
import type { TwilioRecording } from '@flex-custody/twilio';
import { readMedia, SampleDigest, type SeenMedia, verifyObject } from '@flex-custody/vault';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import { stillMs, whileMoving } from '../copy/while-moving.ts';
import type { IngestDeps } from '../deps.ts';
import { mediaLags, mediaOpener } from '../intake/source.ts';
import { ingestJobs } from '../jobs.ts';
import { logStep } from '../log-step.ts';
import { describeOrLater } from './describe-job.ts';
import { proofOf } from './proof.ts';

type StoredRow = RecordingRow & { object: SealedObject };

const isUnproven = (row: RecordingRow | undefined): row is StoredRow =>
  row?.state === 'verified' && row.object !== undefined && !row.proof && !row.sourceDeletedAt;

/**
 * Proves a verified copy: reads Twilio's media once, without storing it, and compares the copy with it. If the bytes
 * differ, format and samples decide. If those differ, the host makes a new copy itself. Does nothing if the copy is
 * proven, or if Twilio no longer has the recording.
 * @throws CustodyError as the media, the envelope and the store do; incomplete media proves nothing about the copy
 */
export async function proveJob(deps: IngestDeps, sid: RecordingSid, ended: AbortSignal): Promise<void> {
  const { catalog, config, twilio } = deps;
  const row = await catalog.find(sid);
  if (!isUnproven(row)) return;
  const facts = await twilio.recording(sid);
  if (!facts || facts.status === 'deleted' || facts.status === 'absent') return sourceGone(deps, row);
  if (facts.accountSid !== config.accountSid) {
    throw new CustodyError('foreign_account', 'the recording belongs to another account');
  }
  let seen: SeenMedia;
  try {
    seen = await lookAtSource(deps, row, facts, ended);
  } catch (error) {
    // A single answer without media may be temporary; after the last try `proofInVain` handles it.
    throw errorCode(error) === 'media_missing' ? mediaLags() : error;
  }
  const how = await compare(deps, row, seen, ended);
  if (how === undefined) return differs(deps, row);
  const isMono = row.channels === 1 && facts.channels === 2;
  const proven = await catalog.proven(sid, row.object, proofOf('second-look', how, isMono));
  if (!proven) {
    // Another object has replaced it, such as one under a newer key, and has to be proven.
    if (isUnproven(await catalog.find(sid))) await deps.queue.send(ingestJobs.prove, { recordingSid: sid });
    return;
  }
  logStep(deps.log, 'proven', sid, { bytes: seen.bytes, reason: how });
  await deps.alarms.resolve(['prove_failed', 'source_kept'], sid);
  await describeOrLater(deps, proven);
}

/** Reads media with as many channels as the copy: the source of an older mono copy is Twilio's mono media. */
async function lookAtSource(
  deps: IngestDeps,
  row: StoredRow,
  facts: TwilioRecording,
  ended: AbortSignal,
): Promise<SeenMedia> {
  const { durationSeconds } = facts;
  const stated = {
    ...(durationSeconds !== undefined && { durationSeconds }),
    pausedSeconds: await deps.catalog.pausedSeconds(row),
  };
  return whileMoving(ended, stillMs, async ({ signal }, moved) => {
    const media = await mediaOpener(deps, facts, signal)({ channels: row.channels });
    return readMedia(media, stated, moved);
  });
}

async function compare(
  { keys, store }: IngestDeps,
  { accountSid, channels, object, recordingSid }: StoredRow,
  seen: SeenMedia,
  ended: AbortSignal,
): Promise<'sha256' | 'samples' | undefined> {
  if (seen.sha256 === object.plaintextSha256) return 'sha256';
  const samples = new SampleDigest();
  await whileMoving(ended, stillMs, ({ signal }, moved) =>
    verifyObject({
      object,
      source: { accountSid, recordingSid, channels },
      keys,
      store,
      signal,
      onPlaintext: (chunk) => {
        moved();
        samples.push(chunk);
      },
    }),
  );
  const own = samples.end();
  return own !== undefined && own === seen.samples ? 'samples' : undefined;
}

/** Twilio's media differs from the copy: the host makes one new copy, which is proven when it is made. */
async function differs(deps: IngestDeps, row: StoredRow): Promise<void> {
  const { alarms, catalog, log, queue } = deps;
  const { object, recordingSid: sid } = row;
  if (row.copiedBy === 'host') {
    await catalog.proofTried(sid);
    return alarms.raise('proof_failed', sid, "the host's own copy differs from Twilio's media");
  }
  if (!(await catalog.disproved(sid, object))) return;
  // The object stays in the bucket until the new copy is verified, because Twilio could lose the original before.
  logStep(log, 'rejected', sid, { reason: 'audio_differs' });
  await alarms.raise('object_rejected', sid, 'audio_differs');
  await queue.send(ingestJobs.copy, { recordingSid: sid }, { once: 'now' });
}

/** Twilio has no original to compare the copy with: the copy stays verified, and there is no original to delete. */
async function sourceGone({ alarms, catalog, config, log, queue }: IngestDeps, row: StoredRow) {
  const sid = row.recordingSid;
  await catalog.sourceDeleted(sid);
  log.info({ recording: sid }, 'a copy cannot be proven: Twilio no longer has the recording');
  // An imported or adopted recording came from elsewhere: the run that added it has already reported that Twilio lacks
  // it.
  const isFound = row.copiedBy === 'import' || row.copiedBy === 'adopted';
  if (config.deleteSourceAfterHours !== undefined && !isFound)
    await alarms.raise(
      'proof_impossible',
      sid,
      'Twilio no longer has the recording, and its copy was never proven',
    );
  await queue.send(ingestJobs.describe, { recordingSid: sid });
}

/**
 * Handles the last failed try: the copy stays verified, and the host tries again on another day. Missing media, for
 * example in external storage, raises no alarm unless originals are to be deleted.
 */
export async function proofInVain(
  { alarms, catalog, config, log }: IngestDeps,
  sid: RecordingSid,
  code: string,
): Promise<void> {
  await catalog.proofTried(sid);
  if (code !== 'media_missing') return alarms.raise('prove_failed', sid, code);
  log.info({ recording: sid }, 'a copy cannot be proven: Twilio has no media of the recording');
  if (config.deleteSourceAfterHours !== undefined)
    await alarms.raise('source_kept', sid, 'the copy cannot be proven: Twilio has no media of the recording');
}
