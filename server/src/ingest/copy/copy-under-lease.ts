import { CustodyError, errorCode, type MediaSource, objectKey, type SealedObject } from '@flex-custody/core';
import { copyResumably, type ResumableInput } from '@flex-custody/vault';
import type { Lease } from '../../catalog/recording-row.ts';
import type { IngestDeps } from '../deps.ts';
import { provenBad } from '../failures.ts';
import { sealUnder } from '../intake/lease.ts';
import { ingestJobs } from '../jobs.ts';
import { logStep, type StepFacts } from '../log-step.ts';
import { abandonUpload } from './abandon-upload.ts';
import { stillMs, whileMoving } from './while-moving.ts';

/**
 * A worker's lease is short, and extended while its copy makes progress, so that another worker soon replaces a killed or
 * stuck one.
 */
export const workerLeaseMs = stillMs;

export interface LeasedCopy {
  source: MediaSource;
  /** Opens the audio; the signal ends the copy. */
  open(asked: Parameters<ResumableInput['open']>[0], signal: AbortSignal): ReturnType<ResumableInput['open']>;
  lease: Lease;
  by: Extract<StepFacts['by'], 'worker' | 'import'>;
  /** Called when the catalog has this object as the recording's. */
  onSealed?: (object: SealedObject) => Promise<void>;
  /** The caller verifies the copy next, so no job is sent for that. */
  isVerifiedNext?: boolean;
}

/**
 * Copies one recording on this host, from where an earlier process stopped, and has it verified. Returns false if the
 * lease was lost; on any other failure, a stalled copy included, the lease is released.
 * @param ended aborts when the process ends
 * @returns whether this copy is now the recording's
 * @throws CustodyError as the media, the envelope and the store do
 */
export async function copyUnderLease(
  deps: IngestDeps,
  { source, open, lease: { secret: lease, isFirst }, by, onSealed, isVerifiedNext = false }: LeasedCopy,
  ended: AbortSignal,
): Promise<boolean> {
  const { catalog, keys, log, observer, queue, store, uploads } = deps;
  const sid = source.recordingSid;
  const begun = Date.now();
  logStep(log, 'leased', sid, { by });
  const { workerLeaseMs: leaseMs = workerLeaseMs } = deps;
  let reason: unknown;
  const copy = async (halted: AbortController, moved: () => void) => {
    halted.signal.addEventListener('abort', () => {
      reason = halted.signal.reason;
    });
    // The extension ends with the copy, and a stalled copy is aborted.
    const extension = setInterval(() => {
      catalog.extendLease(sid, lease, leaseMs).then(
        (held) => held || halted.abort(new CustodyError('lease_lost', 'another writer took over')),
        // The database is unavailable: two thirds of the lease are left for it to return.
        (error: unknown) =>
          log.warn({ recording: sid, code: errorCode(error) }, 'the lease could not be extended'),
      );
    }, leaseMs / 3);
    halted.signal.addEventListener('abort', () => clearInterval(extension));
    try {
      const found = isFirst ? undefined : await uploads.find(sid);
      isNoted = found !== undefined;
      return await copyResumably({
        source,
        open: (asked) => open(asked, halted.signal),
        keys,
        store,
        objectKey: objectKey(source.accountSid, sid),
        state: found,
        save: (state) => {
          isNoted = true;
          moved();
          return uploads.save(sid, lease, state);
        },
        signal: halted.signal,
        onStored: moved,
        onProgress: (done, total) => {
          moved();
          observer?.copyProgress?.(sid, done, total);
        },
      });
    } finally {
      clearInterval(extension);
    }
  };
  let isNoted = false;
  try {
    const { object, channels } = await whileMoving(ended, leaseMs, copy);
    if (!(await sealUnder(deps, sid, lease, object, channels, by === 'import' ? 'import' : 'host'))) {
      log.warn({ recording: sid }, 'the copy is discarded: another writer was first');
      return false;
    }
    await onSealed?.(object);
    if (isNoted) await uploads.remove(sid);
    const ms = Date.now() - begun;
    observer?.copied?.(sid, object.plaintextBytes, ms, 'worker');
    logStep(log, 'sealed', sid, { by, bytes: object.plaintextBytes, ms });
  } catch (error) {
    if ([error, reason].some((why) => errorCode(why) === 'lease_lost')) return false;
    // If the media is not a whole recording, continuing this upload would fail in the same way.
    if (provenBad.has(errorCode(error))) await abandonUpload(deps, sid);
    await catalog.release(sid, lease, errorCode(error));
    throw error;
  }
  if (!isVerifiedNext) await queue.send(ingestJobs.verify, { recordingSid: sid });
  return true;
}
