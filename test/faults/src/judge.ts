import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { asRecordingSid } from '@flex-custody/core';
import {
  createKeys,
  createStore,
  type Keys,
  openStream,
  parseKeyFile,
  type Store,
} from '@flex-custody/vault';
import type { RecordingRow } from '../../../server/src/catalog/recording-row.ts';
import { fates, type PlannedCall } from './plan.ts';
import type { Stage } from './stage.ts';
import type { Played } from './storm.ts';

export interface Verdict {
  verified: number;
  /** Of them, seen by a host to be equal to what Twilio has. */
  proven: number;
  linked: number;
  /** Given up, with the reason that was planned for them. */
  deadLetters: number;
  absent: number;
  /** Deleted at Twilio by others before a callback of theirs got through. */
  unknown: number;
  /** Parts of uploads that nobody finished, and that no job will: the janitor's, within the hour. */
  uploadsLeft: number;
  /** What must not be: one line each. */
  faults: string[];
}

/** Holds what the catalog says against what lies in the bucket, and both against what was recorded. */
export async function judge(
  stage: Stage,
  played: readonly Played[],
  rows: ReadonlyMap<string, RecordingRow>,
): Promise<Verdict> {
  const store = createStore({ ...stage.bucket, region: 'us-east-1', pathStyle: true, mode: 'envelope' });
  const keys = createKeys(parseKeyFile(readFileSync(stage.secrets.keyFile, 'utf8')));
  const verdict: Verdict = {
    verified: 0,
    proven: 0,
    linked: 0,
    deadLetters: 0,
    absent: 0,
    unknown: 0,
    uploadsLeft: 0,
    faults: [],
  };
  try {
    const versions = await versionsByKey(store);
    for (const one of played) {
      const fault = await judgeOne(one, rows.get(one.recording.sid), { store, keys, versions }, verdict);
      if (fault)
        verdict.faults.push(
          `${one.recording.sid} (${one.planned.delivery}, ${one.planned.seconds} s): ${fault}`,
        );
    }
    const known = new Set(played.map(({ recording }) => recording.sid));
    for (const sid of rows.keys()) if (!known.has(sid)) verdict.faults.push(`${sid}: never recorded`);
    for await (const upload of store.unfinishedUploads('')) {
      verdict.uploadsLeft += 1;
      const sid = asRecordingSid(/(RE[0-9a-f]{32})/.exec(upload.key)?.[1]);
      if (!sid || !known.has(sid)) verdict.faults.push(`${upload.key}: an upload of nobody`);
    }
  } finally {
    store.close();
  }
  return verdict;
}

interface Evidence {
  store: Store;
  keys: Keys;
  versions: ReadonlyMap<string, string[]>;
}

async function judgeOne(
  { recording, planned }: Played,
  row: RecordingRow | undefined,
  evidence: Evidence,
  verdict: Verdict,
): Promise<string | undefined> {
  if (!row) {
    // Gone at Twilio before any callback got through: nobody could know of it.
    if (planned.fate === 'deleted') verdict.unknown += 1;
    return planned.fate === 'deleted' ? undefined : 'not in the catalog';
  }
  if (planned.fate) {
    const wanted = fates[planned.fate];
    if (row.state !== wanted.state || row.failure !== wanted.reason)
      return `${row.state} because of ${row.failure}, not ${wanted.state} because of ${wanted.reason}`;
    if (wanted.state === 'absent') verdict.absent += 1;
    else verdict.deadLetters += 1;
    return undefined;
  }
  if (row.state !== 'verified' || !row.object) return `${row.state} (${row.failure}), not verified`;
  const believed = judgeBelieved(row);
  if (believed) return believed;
  const link = judgeLink(planned, row);
  if (link) return link;
  if (row.linkState === 'linked') verdict.linked += 1;
  const lying = evidence.versions.get(row.object.key) ?? [];
  if (lying.length !== 1) return `stored ${lying.length} times`;
  const source = await recording.media?.sha256(row.channels);
  const stored = await digestOf(row, evidence);
  if (stored !== source) return 'other bytes than the source';
  if (row.object.plaintextSha256 !== source) return 'another digest in the catalog than the source';
  if (row.channels !== recording.channels) return `${row.channels} channels of ${recording.channels}`;
  verdict.verified += 1;
  if (row.proof) verdict.proven += 1;
  else return 'verified, and nobody has proven it';
  return undefined;
}

/** What a forger or an agent's browser said is nowhere in the row. */
function judgeBelieved(row: RecordingRow): string | undefined {
  if (row.direction === 'internal') return 'of the direction that was written into the task';
  if (row.proof?.host === 'forged') return 'proven by a forged sidecar';
  return undefined;
}

function judgeLink({ delivery, direction, lie }: PlannedCall, row: RecordingRow): string | undefined {
  // The very first has nobody's task to be steered to.
  if ((delivery === 'steered' || lie === 'wrong hints') && row.linkState === 'refused') return undefined;
  // Its task no longer says which call it is of, and nobody else announced it.
  if (lie !== undefined && row.linkState === 'unlinked') return undefined;
  // Nothing but the lost callback said of which task an outbound call is: docs/linking.md.
  const untold =
    row.source === 'reconcile' && direction === 'outbound' && row.linkReason === 'task_not_found';
  if (row.linkState === 'linked' || untold) return undefined;
  return `${row.linkState} (${row.linkReason}, ${row.source}, ${direction}), not linked`;
}

async function digestOf(row: RecordingRow, { store, keys }: Evidence): Promise<string> {
  const { object, accountSid, recordingSid } = row;
  if (!object) return 'nothing';
  const { body } = await store.get(
    object.key,
    object.versionId === undefined ? {} : { versionId: object.versionId },
  );
  const hash = createHash('sha256');
  await pipeline(body, openStream(keys, { account: accountSid, recording: recordingSid }), async (audio) => {
    for await (const chunk of audio) hash.update(chunk as Buffer);
  });
  return hash.digest('hex');
}

async function versionsByKey(store: Store): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for await (const { key, versionId, deleteMarker } of store.versions('recordings/')) {
    if (deleteMarker) continue;
    found.set(key, [...(found.get(key) ?? []), versionId ?? 'null']);
  }
  return found;
}
