import { createHash } from 'node:crypto';
import { type AccountSid, objectKey, type RecordingSid, sidecarKey } from '@flex-custody/core';
import type { RecordingPage, TwilioRecording } from '@flex-custody/twilio';
import type { Store } from '@flex-custody/vault';
import { loadConfig } from '../../../server/src/config.ts';
import type { Db } from '../../../server/src/db/db.ts';
import type { Log } from '../../../server/src/ingest/index.ts';
import { openQueue } from '../../../server/src/queue/boss-queue.ts';
import { loadSigning } from '../../../server/src/signing/load.ts';
import { createHostDeps, type HostDeps } from '../../../server/src/start/host-deps.ts';
import { allJobs } from '../../../server/src/start/jobs.ts';
import type { Environment } from './processes.ts';

const md5 = (text: string) => createHash('md5').update(text).digest('hex');
/** SIDs as the fill makes them. */
export const filledSid = (n: number) => `RE${md5(`RE${n}`)}` as RecordingSid;

/** Numbers of the fill's rows by SID: 40 bits of each SID above 24 of its number sort as the SIDs do. */
function inOrder(rows: number): number[] {
  const keys = new BigUint64Array(rows);
  for (let n = 1; n <= rows; n++)
    keys[n - 1] = (BigInt(`0x${md5(`RE${n}`).slice(0, 10)}`) << 24n) | BigInt(n);
  keys.sort();
  const numbers = Array.from(keys, (key) => Number(key & 0xffffffn));
  for (let at = 1; at < numbers.length; at++) {
    const [one, two] = [numbers[at - 1] ?? 0, numbers[at] ?? 0];
    if (filledSid(one) > filledSid(two)) numbers.splice(at - 1, 2, two, one);
  }
  return numbers;
}

export interface Lying {
  key: string;
  bytes: number;
  etag: string;
  lastModified: Date;
}

/**
 * The bucket of a filled catalog: it lists an object and a sidecar for each row that has them, a thousand keys a turn of
 * the event loop, as pages of S3 come. Whatever else it is asked is a mistake of the bench.
 * @param stored recordings that went through a host before the fill
 */
export async function filledStore(
  db: Db,
  account: AccountSid,
  rows: number,
  stored: readonly string[],
): Promise<Store> {
  const without = (column: string) =>
    db.query<{ sid: string }>(`SELECT recording_sid AS sid FROM recordings WHERE ${column} IS NULL`);
  const [noObject, noSidecar] = (await Promise.all([without('object'), without('sidecar')])).map(
    (found) => new Set(found.map(({ sid }) => sid)),
  );
  const others = await db.query<{ sid: RecordingSid; object: string; sidecar: string | null }>(
    `SELECT recording_sid AS sid, object->>'etag' AS object, sidecar->>'etag' AS sidecar FROM recordings
     WHERE recording_sid = ANY($1::text[])`,
    [stored],
  );
  const numbers = inOrder(rows);
  const lastModified = new Date(Date.now() - 24 * 3_600_000);
  const one = (key: string, etag: string): Lying => ({ key, etag, bytes: 660_044, lastModified });
  function* keys(after: string): Generator<Lying> {
    const rest = others.toSorted((a, b) => (a.sid < b.sid ? -1 : 1));
    const ofOther = ({ sid, object, sidecar }: (typeof others)[number]) => [
      one(objectKey(account, sid), object),
      ...(sidecar ? [one(sidecarKey(account, sid), sidecar)] : []),
    ];
    for (const n of numbers) {
      const sid = filledSid(n);
      while (rest[0] && rest[0].sid < sid) yield* rest.splice(0, 1).flatMap(ofOther);
      if (noObject?.has(sid) || objectKey(account, sid) <= after) continue;
      yield one(objectKey(account, sid), `"${md5(`e${n}`)}"`);
      if (!noSidecar?.has(sid)) yield one(sidecarKey(account, sid), `"${md5(`s${n}`)}"`);
    }
    yield* rest.flatMap(ofOther);
  }
  const store: Partial<Store> = {
    bucket: 'growth',
    mode: 'envelope',
    async *list(prefix: string, { after = '' }: { after?: string } = {}) {
      let listed = 0;
      for (const key of keys(after)) {
        if (!key.key.startsWith(prefix)) continue;
        yield key;
        listed += 1;
        if (listed % 1_000 === 0) await new Promise(setImmediate);
      }
    },
    async *unfinishedUploads() {},
    keepsVersions: async () => true,
    close: () => undefined,
  };
  return onlyThese(store, 'the bucket');
}

const pageRows = 500;

/** Twilio's list of the first `rows` rows of the fill, 500 a page, newest first. */
export function filledTwilio(account: AccountSid, rows: number): HostDeps['twilio'] {
  const facts = (n: number): TwilioRecording => ({
    sid: filledSid(n),
    accountSid: account,
    status: 'completed',
    channels: 2,
    durationSeconds: 20,
    startedAt: new Date(Date.now() - 3_600_000 - n),
  });
  const twilio: Partial<HostDeps['twilio']> = {
    account: async () => ({ friendlyName: 'growth', status: 'active', aheadMs: 0 }),
    async recordingsPage(_window, page): Promise<RecordingPage> {
      const first = Number(page ?? 1);
      const last = Math.min(rows, first + pageRows - 1);
      const recordings = Array.from({ length: last - first + 1 }, (_, at) => facts(first + at));
      return { recordings, ...(last < rows && { next: String(last + 1) }) };
    },
  };
  return onlyThese(twilio, 'Twilio');
}

function onlyThese<T extends object>(known: Partial<T>, name: string): T {
  return new Proxy(known as T, {
    get(target, property) {
      if (property in target || typeof property === 'symbol' || property === 'then')
        return Reflect.get(target, property);
      return () => {
        throw new Error(`the bench asked ${name} for ${property}`);
      };
    },
  });
}

const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A host's parts on a filled database, whose bucket and Twilio are the fill's. */
export function growthParts(
  db: Db,
  environment: Environment,
  world: Pick<HostDeps, 'store' | 'twilio'>,
): HostDeps {
  const config = loadConfig(environment);
  const deps = createHostDeps(
    config,
    db,
    openQueue(db, { jobs: allJobs }),
    silent,
    loadSigning(config.signing),
  );
  deps.store.close();
  return { ...deps, ...world };
}
