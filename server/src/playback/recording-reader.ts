import { Readable } from 'node:stream';
import { CustodyError, errorCode } from '@flex-custody/core';
import { type Keys, type OpenedEnvelope, openEnvelope, type Store } from '@flex-custody/vault';
import type { Audio, StoredRecording } from './audio.ts';
import { versionOf } from './audio.ts';
import { OpenedCache } from './opened-cache.ts';
import { Reads } from './resting-stream.ts';

export interface RecordingReader {
  /**
   * Opens the stored copy and checks its length; no audio is fetched before `read`.
   * @throws CustodyError `object_unplayable` (500: not what the catalog says), envelope_*, `store_unavailable` (503)
   */
  open(row: StoredRecording): Promise<Audio>;
  /** Opens the object before the player asks, so that the first byte comes sooner. Never throws. */
  openAhead(row: StoredRecording): void;
}

export interface RecordingReaderOptions {
  store: Store;
  /** Undefined if S3 encrypts (sse-kms). */
  keys: Keys | undefined;
  log: { warn(about: object, message: string): void };
  /** Recordings kept open; each holds a data key and a few numbers, no audio. */
  limit?: number;
  ttlMs?: number;
  /** Longest time to open an object, ms. */
  openMs?: number;
  /** The streams from the store that are open for listeners. */
  reads?: Reads;
  now?: () => number;
}

/** Fewer than the store's connections for players, so that paused listeners make room before another listener waits for one. */
const readsAtOnce = 400;

/** Reads one version of an object and no other: a change in the bucket is an error, never other bytes. */
function pinned(store: Store, object: StoredRecording['object']) {
  return {
    expectedBytes: object.bytes,
    read: (start: number, end: number, signal?: AbortSignal) =>
      store.get(object.key, {
        start,
        end,
        ifMatch: object.etag,
        lane: 'play',
        ...(object.versionId && { versionId: object.versionId }),
        ...(signal && { signal }),
      }),
  };
}

/** The client must not see the store's errors about ranges and conditions: they all become one error of the host. */
function asFault(error: unknown): unknown {
  const ours = error instanceof CustodyError && /^object_/.test(error.code);
  if (!ours) return error;
  return new CustodyError(
    'object_unplayable',
    `the stored object is not what the catalog says: ${error.code}`,
    {
      cause: error,
    },
  );
}

export function createRecordingReader(options: RecordingReaderOptions): RecordingReader {
  const { store, keys, log, openMs = 20_000 } = options;
  const reads = options.reads ?? new Reads({ most: readsAtOnce });
  const opened = new OpenedCache<OpenedEnvelope>({
    limit: options.limit ?? 1_000,
    ttlMs: options.ttlMs ?? 300_000,
    ...(options.now && { now: options.now }),
  });

  const openNow = async (row: StoredRecording): Promise<OpenedEnvelope> => {
    const { object } = row;
    if (!keys)
      throw new CustodyError('key_missing', 'a sealed recording needs a key, and none is configured');
    const context = { account: row.accountSid, recording: row.recordingSid };
    // Several requests share one opening, so a client that leaves must not end it; only the time limit does.
    const signal = AbortSignal.timeout(openMs);
    const envelope = await openEnvelope(keys, pinned(store, object), context, signal);
    if (envelope.plaintextBytes !== object.plaintextBytes) {
      throw new CustodyError(
        'object_unplayable',
        'the stored audio has another length than the catalog says',
      );
    }
    return envelope;
  };
  const envelopeOf = (row: StoredRecording) =>
    opened.get(`${row.object.key}\n${versionOf(row)}\n${row.object.etag}`, () => openNow(row));

  const sealed = async (row: StoredRecording): Promise<Pick<Audio, 'bytes' | 'read'>> => {
    const envelope = await envelopeOf(row).catch((error: unknown) => {
      throw asFault(error);
    });
    const bytes = envelope.plaintextBytes;
    return {
      bytes,
      read: async (range = { start: 0, end: bytes - 1 }) =>
        bytes === 0
          ? Readable.from([])
          : reads.stream({
              ...range,
              open: async (from, signal) => envelope.read(from, range.end, signal),
              named: asFault,
            }),
    };
  };
  const plain = ({ object }: StoredRecording): Pick<Audio, 'bytes' | 'read'> => ({
    bytes: object.plaintextBytes,
    async read(range = { start: 0, end: object.plaintextBytes - 1 }) {
      if (object.plaintextBytes === 0) return Readable.from([]);
      return reads.stream({
        ...range,
        open: async (from, signal) => (await pinned(store, object).read(from, range.end, signal)).body,
        named: asFault,
      });
    },
  });

  return {
    async open(row) {
      const audio = row.object.mode === 'sse-kms' ? plain(row) : await sealed(row);
      return { ...audio, etag: `"${row.object.plaintextSha256}"`, discard: () => undefined };
    },
    openAhead(row) {
      if (row.object.mode === 'sse-kms') return;
      envelopeOf(row).catch((error: unknown) => {
        const about = { recording: row.recordingSid, code: errorCode(error) };
        log.warn(about, 'a recording could not be opened before the player asked');
      });
    },
  };
}
