import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { asAccountSid, asRecordingSid, type MediaSource } from '@flex-custody/core';
import {
  copyResumably,
  createKeys,
  type ResumableInput,
  type Store,
  type UploadState,
  verifyObject,
} from '@flex-custody/vault';
import { wav } from '../../../packages/vault/test/support.ts';
import { all, type StoreSubject } from './store-subject.ts';

const keys = createKeys({ kind: 'raw-aes', keys: [{ keyId: 'k1', key: new Uint8Array(32).fill(7) }] });
const source = {
  accountSid: asAccountSid(`AC${'a'.repeat(32)}`),
  recordingSid: asRecordingSid(`RE${'b'.repeat(32)}`),
  channels: 2,
} as MediaSource;
const audio = wav(400);
const sha256 = createHash('sha256').update(audio).digest('hex');
const killed = new Error('killed');

/** A copy that dies and is gone on with: whether an upload is gone, and what became of it, is the engine's to say. */
export function resumes(subject: StoreSubject): void {
  describe('a copy of three parts', () => {
    let state: UploadState | undefined;
    const copy = (
      objectKey: string,
      change: (store: Store) => Partial<Store> = () => ({}),
      { isSaved = true, ...more }: Partial<ResumableInput> & { isSaved?: boolean } = {},
    ) => {
      const { store } = subject;
      const changed = change(store) as Record<PropertyKey, unknown>;
      return copyResumably({
        source,
        open: async () => ({
          body: Readable.from(
            (function* () {
              for (let at = 0; at < audio.length; at += 65_536) yield audio.subarray(at, at + 65_536);
            })(),
          ),
          channels: 2,
          contentType: 'audio/x-wav',
          contentLength: audio.length,
          status: 200,
          acceptRanges: false,
        }),
        keys,
        store: new Proxy(store, {
          get: (of, name) => {
            const value = changed[name] ?? Reflect.get(of, name, of);
            return typeof value === 'function' ? value.bind(of) : value;
          },
        }),
        objectKey,
        state,
        framesPerPart: 80,
        ...(isSaved && {
          save: async (saved: UploadState) => {
            state = JSON.parse(JSON.stringify(saved)) as UploadState;
            return true;
          },
        }),
        ...more,
      });
    };
    const versionsOf = async (key: string) => {
      let found = 0;
      for await (const version of subject.store.versions(key)) if (version.key === key) found += 1;
      return found;
    };
    beforeEach(() => {
      state = undefined;
    });

    test.each<[string, (store: Store) => Partial<Store>]>([
      [
        'killed when a part had arrived',
        (store) => ({
          async sendPart(...args) {
            const part = await store.sendPart(...args);
            if (args[2] === 2) throw killed;
            return part;
          },
        }),
      ],
      [
        'killed before the object was made',
        () => ({
          async completeUpload() {
            throw killed;
          },
        }),
      ],
      [
        'killed when the object had been made',
        (store) => ({
          async completeUpload(...args) {
            await store.completeUpload(...args);
            throw killed;
          },
        }),
      ],
    ])('%s ends as one object, byte for byte', async (name, change) => {
      const key = `resumed/${name}`;
      await expect(copy(key, change)).rejects.toBe(killed);
      const begun = state?.uploadId;
      const { object } = await copy(key);
      expect(state?.uploadId).toBe(begun);
      expect(await verifyObject({ object, source, keys, store: subject.store })).toEqual({
        channels: 2,
        plaintextSha256: sha256,
      });
      expect(await versionsOf(key)).toBe(1);
    });

    test('asked twice to make the object, it finds the one it has made', async () => {
      const { object } = await copy('resumed/twice', (store) => ({
        async completeUpload(...args) {
          await store.completeUpload(...args);
          return store.completeUpload(...args);
        },
      }));
      expect(await verifyObject({ object, source, keys, store: subject.store })).toEqual({
        channels: 2,
        plaintextSha256: sha256,
      });
      expect(await versionsOf('resumed/twice')).toBe(1);
    });

    describe('of which no state is saved', () => {
      const isSaved = false;
      const isEmpty = async (key: string) => {
        expect(await subject.store.head(key)).toBeUndefined();
        expect(await all(subject.store.unfinishedUploads(key))).toEqual([]);
      };

      test('is one object', async () => {
        const { object } = await copy('unsaved/whole', undefined, { isSaved });
        expect(await verifyObject({ object, source, keys, store: subject.store })).toMatchObject({
          plaintextSha256: sha256,
        });
        expect(await all(subject.store.unfinishedUploads('unsaved/'))).toEqual([]);
      });

      test.each([1, 2, 3])('leaves nothing where part %i fails', async (number) => {
        const key = `unsaved/${number}`;
        const failing = (store: Store): Partial<Store> => ({
          async sendPart(...args) {
            if (args[2] === number) throw killed;
            return store.sendPart(...args);
          },
        });
        await expect(copy(key, failing, { isSaved })).rejects.toBe(killed);
        await isEmpty(key);
      });

      test('leaves nothing where it is aborted', async () => {
        const stop = new AbortController();
        const stopping = { isSaved, signal: stop.signal, onStored: () => stop.abort(killed) };
        await expect(copy('unsaved/stopped', undefined, stopping)).rejects.toBe(killed);
        await isEmpty('unsaved/stopped');
      });
    });
  });
}
