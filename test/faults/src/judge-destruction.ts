import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createKeys, createStore, openStream, parseKeyFile } from '@flex-custody/vault';
import type { RecordingRow } from '../../../server/src/catalog/recording-row.ts';
import type { Destruction, Part } from './destruction.ts';
import { catalogOf } from './settle.ts';
import type { Stage } from './stage.ts';
import type { Played } from './storm.ts';

export interface Destroyed {
  /** Kept, held or both, and whole: their copies open and are what was recorded. */
  whole: number;
  /** Gone, with a certificate. */
  gone: number;
  /** Whose original at Twilio went; each has a copy that was proven and opens. */
  sourcesDeleted: number;
  /** What must not be: one line each. */
  faults: string[];
}

interface Certified {
  recordings: readonly { recording: string }[];
  reason: string;
}

/** Holds what is left, in the catalog, the bucket and at Twilio, against what was to be kept and what was to go. */
export async function judgeDestruction(
  stage: Stage,
  played: readonly Played[],
  { parts, digests }: Destruction,
): Promise<Destroyed> {
  const rows = await catalogOf(stage);
  const certified = await certificatesOf(stage);
  const store = createStore({ ...stage.bucket, region: 'us-east-1', pathStyle: true, mode: 'envelope' });
  const keys = createKeys(
    parseKeyFile(readFileSync(join(dirname(stage.secrets.keyFile), 'both.pem'), 'utf8')),
  );
  const found: Destroyed = { whole: 0, gone: 0, sourcesDeleted: 0, faults: [] };
  try {
    const inBucket = new Set<string>();
    for await (const { key, deleteMarker } of store.versions('recordings/')) {
      const sid = /(RE[0-9a-f]{32})/.exec(key)?.[1];
      if (sid && !deleteMarker) inBucket.add(sid);
    }
    const digestOf = async ({ object, accountSid, recordingSid }: RecordingRow): Promise<string> => {
      if (!object) return 'nothing';
      const version = object.versionId === undefined ? {} : { versionId: object.versionId };
      const { body } = await store.get(object.key, version);
      const hash = createHash('sha256');
      const opened = openStream(keys, { account: accountSid, recording: recordingSid });
      await pipeline(body, opened, async (audio) => {
        for await (const chunk of audio) hash.update(chunk as Buffer);
      });
      return hash.digest('hex');
    };
    for (const { recording } of played) {
      const part = parts.get(recording.sid);
      if (part === undefined) continue;
      const row = rows.get(recording.sid);
      const isToGo = goes(part);
      const deleted = recording.status === 'deleted';
      const say = (fault: string) => found.faults.push(`${recording.sid} (${part}): ${fault}`);
      if (!row) say('in no catalog any more');
      else if (isToGo) {
        if (!row.erasedAt) say(`still there: ${row.state}`);
        else if (inBucket.has(recording.sid)) say('erased, and still in the bucket');
        else if (!deleted) say('erased, and still at Twilio');
        else if (!certified.has(recording.sid)) say('erased without a certificate');
        else found.gone += 1;
      } else {
        const digest = await digestOf(row).catch((error: unknown) => `unreadable (${String(error)})`);
        if (row.state !== 'verified') say(`${row.state}, and was to be kept`);
        else if (digest !== digests.get(recording.sid)) say(`its copy is ${digest}`);
        else found.whole += 1;
        if (part === 'held' && deleted) say('its original was deleted under a hold');
        if (deleted && !row.sourceDeletedAt) say('its original was deleted, and nobody noted it');
        if (deleted && !row.proof) say('its original was deleted without a proof');
        if (deleted) found.sourcesDeleted += 1;
      }
      if (certified.has(recording.sid) && (inBucket.has(recording.sid) || !row?.erasedAt))
        say('a certificate says that it is gone');
    }
  } finally {
    store.close();
  }
  return found;
}

const goes = (part: Part): boolean => part === 'due' || part === 'asked' || part === 'lifted';

async function certificatesOf(stage: Stage): Promise<ReadonlySet<string>> {
  const all = await stage.api.certificates();
  return new Set(
    all.flatMap(({ jws }) => {
      const payload = Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8');
      return (JSON.parse(payload) as Certified).recordings.map(({ recording }) => recording);
    }),
  );
}
