import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sidecar } from '@flex-custody/core';
import { createKeys, createStore, sealBytes, signRequest } from '@flex-custody/vault';
import { readAttributes } from '../../../packages/twilio/src/change-task.ts';
import type { Recording } from '../../../sandbox/src/world.ts';
import { touchTask } from '../../../sandbox/src/world.ts';
import type { RecordingRow } from '../../../server/src/catalog/recording-row.ts';
import type { Lie } from './plan.ts';
import type { Stage } from './stage.ts';

/** Whom the forged task says that somebody called, and whose number nobody called from. */
export const forgedNumber = '+19990000000';

export interface Liar {
  /** @returns whether somebody listened: the host may have been down all the while */
  tell(lie: Lie, about: Recording, task: string, othersTask: string | undefined): Promise<boolean>;
  close(): void;
  /** Puts a sidecar beside the recording that says that it is the forger's. */
  forgeSidecar(row: RecordingRow, worker: string): Promise<void>;
}

const tries = 20;
const pauseMs = 500;

/** Holds what the Functions hold, and nothing else; the bucket's rights as wide as a wrong policy may make them. */
export function createLiar(stage: Stage): Liar {
  const { secrets, sandbox, bucket } = stage;
  const { accountSid } = sandbox.account;
  const keys = createKeys({ kind: 'rsa-public', keyId: secrets.keyId, spki: secrets.publicKey });
  const store = createStore({ ...bucket, region: 'us-east-1', pathStyle: true, mode: 'envelope' });

  const signed = async (path: string, content: unknown): Promise<Record<string, unknown> | undefined> => {
    const body = JSON.stringify(content);
    for (let attempt = 0; attempt < tries; attempt += 1) {
      const reply = await fetch(stage.urls.host + path, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-custody-signature': signRequest(secrets.functionSecret, 'POST', path, body, Date.now()),
        },
        body,
        signal: AbortSignal.timeout(10_000),
      }).catch(() => undefined);
      if (reply?.ok) return (await reply.json()) as Record<string, unknown>;
      await reply?.body?.cancel();
      if (reply && reply.status < 500 && reply.status !== 429) return undefined;
      await sleep(pauseMs);
    }
    return undefined;
  };
  const register = (recording: Recording, hints: object) =>
    signed('/ingest/recordings', { accountSid, recordingSid: recording.sid, status: 'completed', hints });

  const reportForged = async (recording: Recording, plain: Buffer, digest?: string): Promise<boolean> => {
    const answer = await register(recording, {});
    if (answer?.['action'] !== 'copy') return false;
    const key = `recordings/${accountSid}/${recording.sid}`;
    const bytes = await sealBytes(keys, { account: accountSid, recording: recording.sid }, plain);
    const stored = await store.putBytes(key, bytes).catch(() => undefined);
    if (!stored) return false;
    const object = {
      key,
      mode: 'envelope',
      ...(stored.versionId !== undefined && { versionId: stored.versionId }),
      etag: stored.etag,
      bytes: bytes.byteLength,
      plaintextBytes: plain.byteLength,
      plaintextSha256: digest ?? createHash('sha256').update(plain).digest('hex'),
      keyId: keys.keyId,
    };
    const { channels } = recording;
    const report = { outcome: 'sealed', lease: answer['lease'], object, channels, tookMs: 10 };
    return (await signed(`/ingest/recordings/${recording.sid}/report`, report)) !== undefined;
  };

  return {
    async tell(lie, recording, task, othersTask) {
      switch (lie) {
        case 'forged sound':
          return reportForged(recording, noise(recording));
        case 'forged text':
          return reportForged(recording, Buffer.from('This was never said in any call.'));
        case 'wrong digest':
          return reportForged(recording, noise(recording), '0'.repeat(64));
        case 'wrong hints':
          return (await register(recording, { taskSid: othersTask ?? task })) !== undefined;
        case 'rewritten task': {
          const found = sandbox.twilio.world.tasks.get(task);
          const attributes = found && readAttributes(found.attributes);
          const { conference: _, call_sid: __, ...rest } = attributes ?? {};
          const forged = { ...rest, direction: 'internal', from: forgedNumber, outbound_to: forgedNumber };
          if (found) touchTask(found, { attributes: JSON.stringify(forged) });
          return found !== undefined;
        }
        case 'forged sidecar':
          return true;
      }
    },
    close: () => store.close(),
    async forgeSidecar(row, worker) {
      if (!row.object) return;
      const forged: Sidecar = {
        version: 1,
        recordingSid: row.recordingSid,
        accountSid: row.accountSid,
        workerSid: worker as NonNullable<Sidecar['workerSid']>,
        direction: 'internal',
        channels: row.channels,
        startedAt: '2019-01-01T00:00:00.000Z',
        source: 'callback',
        object: row.object,
        verifiedAt: new Date().toISOString(),
        proof: { at: new Date().toISOString(), host: 'forged', by: 'copy', how: 'sha256' },
      };
      const context = { account: accountSid, recording: row.recordingSid };
      const sealed = await sealBytes(keys, context, Buffer.from(JSON.stringify(forged)));
      await store.putBytes(`recordings/${accountSid}/${row.recordingSid}.json`, sealed);
    },
  };
}

/** As long as the recording, in a form that nothing tells from it but the original. */
function noise({ seconds, channels }: Recording): Buffer {
  const samples = Math.round(seconds * 8_000);
  const data = samples * 2 * channels;
  const wav = Buffer.alloc(44 + data, 0x33);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(36 + data, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(channels, 22);
  wav.writeUInt32LE(8_000, 24);
  wav.writeUInt32LE(16_000 * channels, 28);
  wav.writeUInt16LE(2 * channels, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(data, 40);
  return wav;
}
