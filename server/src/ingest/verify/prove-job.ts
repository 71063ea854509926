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
 * The second look: reads Twilio's media once, keeping none of it, and holds a verified copy against what was seen. Where
 * the bytes differ, format and samples decide. A copy that differs in those is forgotten, and the host makes one itself.
 * Does nothing where the copy is proven, or Twilio has the recording no longer.
 * @throws CustodyError as the media, the envelope and the store do; media that does not prove whole says nothing of the copy
 */
export async function proveJob(deps: IngestDeps, sid: RecordingSid, ended: AbortSignal): Promise<void> {
  const { catalog, config, twilio } = deps;
  const row = await catalog.find(sid);
  if (!isUnproven(row)) return;
  const facts = await twilio.recording(sid);
  if (!facts || facts.status === 'deleted' || facts.status === 'absent') return sourceGone(deps, row);
  if (facts.accountSid !== config.accountSid) {
    throw new CustodyError('foreign_account', 'the recording is of another account');
  }
  let seen: SeenMedia;
  try {
    seen = await lookAtSource(deps, row, facts, ended);
  } catch (error) {
    // One answer that there is none may pass; after the last try it is `proofInVain`.
    throw errorCode(error) === 'media_missing' ? mediaLags() : error;
  }
  const how = await compare(deps, row, seen, ended);
  if (how === undefined) return differs(deps, row);
  const isMono = row.channels === 1 && facts.channels === 2;
  const proven = await catalog.proven(sid, row.object, proofOf('second-look', how, isMono));
  if (!proven) {
    // Another object has taken its place, such as one of a newer key: that one is to be proven.
    if (isUnproven(await catalog.find(sid))) await deps.queue.send(ingestJobs.prove, { recordingSid: sid });
    return;
  }
  logStep(deps.log, 'proven', sid, { bytes: seen.bytes, reason: how });
  await deps.alarms.resolve(['prove_failed', 'source_kept'], sid);
  await describeOrLater(deps, proven);
}

/** Of as many channels as the copy has: of an older mono copy, Twilio's mono media is the source. */
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

/** Twilio's media is something else than the copy: one new copy, by the host, which is proven by its own reading. */
async function differs(deps: IngestDeps, row: StoredRow): Promise<void> {
  const { alarms, catalog, log, queue } = deps;
  const { object, recordingSid: sid } = row;
  if (row.copiedBy === 'host') {
    await catalog.proofTried(sid);
    return alarms.raise('proof_failed', sid, "the host's own copy differs from Twilio's media");
  }
  if (!(await catalog.disproved(sid, object))) return;
  // The object stays in the bucket until the new copy is verified: until then it is all there is, should Twilio lose its own.
  logStep(log, 'rejected', sid, { reason: 'audio_differs' });
  await alarms.raise('object_rejected', sid, 'audio_differs');
  await queue.send(ingestJobs.copy, { recordingSid: sid }, { once: 'now' });
}

/** Nothing is left to hold the copy against: it stays verified, and there is no original to delete. */
async function sourceGone({ alarms, catalog, config, log, queue }: IngestDeps, row: StoredRow) {
  const sid = row.recordingSid;
  await catalog.sourceDeleted(sid);
  log.info({ recording: sid }, 'its copy cannot be proven: Twilio has the recording no longer');
  // What was imported or adopted came from elsewhere: that Twilio lacks it is told once, by the run that took it in.
  const isFound = row.copiedBy === 'import' || row.copiedBy === 'adopted';
  if (config.deleteSourceAfterHours !== undefined && !isFound)
    await alarms.raise('proof_impossible', sid, 'Twilio has it no longer, and its copy was never proven');
  await queue.send(ingestJobs.describe, { recordingSid: sid });
}

/**
 * The last try of a second look has failed: the copy is as good as it was, and is looked at again another day. Media that
 * is never there, since it is in external storage, is no alarm unless originals are to be deleted.
 */
export async function proofInVain(
  { alarms, catalog, config, log }: IngestDeps,
  sid: RecordingSid,
  code: string,
): Promise<void> {
  await catalog.proofTried(sid);
  if (code !== 'media_missing') return alarms.raise('prove_failed', sid, code);
  log.info({ recording: sid }, 'its copy cannot be proven: Twilio has no media of it');
  if (config.deleteSourceAfterHours !== undefined)
    await alarms.raise('source_kept', sid, 'its copy cannot be proven: Twilio has no media of it');
}
