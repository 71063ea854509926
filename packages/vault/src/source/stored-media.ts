import { pipeline } from 'node:stream';
import type { Store } from '../store/types.ts';
import { MediaGuard } from './guard.ts';
import type { OpenedMedia } from './types.ts';
import { type HeaderRepair, repairing } from './wav-repair.ts';

const STALL_MS = 30_000;

/**
 * An unencrypted recording in a bucket, as media to be copied: guarded like Twilio's, and readable from any byte on.
 * @param object its ETag is what it must still be; its version, where it has one, the very one that is read
 * @param options.repair what is put right in its header on the way
 * @throws CustodyError `object_*`, `store_*`, or `media_*` for what is no audio
 */
export async function openStoredMedia(
  store: Store,
  object: { key: string; versionId?: string; etag: string; channels: 1 | 2 },
  options: { range?: string; signal?: AbortSignal; repair?: HeaderRepair | undefined } = {},
): Promise<OpenedMedia> {
  const from = /^bytes=(\d+)-$/.exec(options.range ?? '')?.[1];
  const start = from === undefined ? 0 : Number(from);
  const { body, bytes, totalBytes } = await store.get(object.key, {
    ifMatch: object.etag,
    ...(object.versionId !== undefined && { versionId: object.versionId }),
    ...(start > 0 && { start }),
    ...(options.signal && { signal: options.signal }),
  });
  const guard = new MediaGuard({ expectedBytes: bytes, stallMs: STALL_MS, showsHead: start === 0 });
  // Its errors reach the reader.
  if (options.repair) pipeline(body, repairing(options.repair, start), guard, () => undefined);
  else pipeline(body, guard, () => undefined);
  await guard.accepted;
  return {
    body: guard,
    contentLength: bytes,
    channels: object.channels,
    contentType: 'audio/wav',
    etag: object.etag,
    status: start > 0 ? 206 : 200,
    ...(start > 0 && { contentRange: `bytes ${start}-${totalBytes - 1}/${totalBytes}` }),
    acceptRanges: true,
  };
}
