import type { RecordingRow } from '../../../server/src/catalog/recording-row.ts';
import { createLiar } from './liar.ts';
import type { Stage } from './stage.ts';
import type { Played } from './storm.ts';

/**
 * Loses the catalog's rows of recordings beside which a forger then puts a sidecar, and rebuilds them from the bucket,
 * with no host at work.
 * @returns how many sidecars were forged, and what of them was believed, one line each
 */
export async function restoreAfterForgery(
  stage: Stage,
  played: readonly Played[],
  rows: ReadonlyMap<string, RecordingRow>,
): Promise<{ forgedSidecars: number; faults: string[] }> {
  const worker = [...stage.sandbox.twilio.world.workers.keys()].at(-1) ?? '';
  const forged = played
    .filter(({ planned }) => planned.lie === 'forged sidecar')
    .flatMap(({ recording }) => rows.get(recording.sid) ?? [])
    .filter((row) => row.state === 'verified' && row.workerSid !== worker);
  const liar = createLiar(stage);
  for (const row of forged) await liar.forgeSidecar(row, worker);
  liar.close();
  await withDatabase(stage, (query) =>
    query('DELETE FROM recordings WHERE recording_sid = ANY($1::text[])', [
      forged.map(({ recordingSid }) => recordingSid),
    ]),
  );
  await stage.command('catalog', 'rebuild', '--json');
  const found = await withDatabase(stage, (query) =>
    query<Restored>(
      'SELECT recording_sid, state, worker_sid, direction, proof FROM recordings WHERE recording_sid = ANY($1::text[])',
      [forged.map(({ recordingSid }) => recordingSid)],
    ),
  );
  // What is not there is right as well: an object that is younger than ten minutes is not adopted yet.
  const faults: string[] = [];
  for (const row of found) {
    if (row.worker_sid === worker) faults.push(`${row.recording_sid}: is the forger's`);
    if (row.direction === 'internal') faults.push(`${row.recording_sid}: has the forger's direction`);
    if (row.state === 'verified' || row.proof)
      faults.push(`${row.recording_sid}: is verified on the forger's word`);
  }
  return { forgedSidecars: forged.length, faults };
}

interface Restored {
  recording_sid: string;
  state: string;
  worker_sid: string | null;
  direction: string | null;
  proof: unknown;
}

async function withDatabase<T>(
  stage: Stage,
  work: (query: Awaited<ReturnType<Stage['database']>>['query']) => Promise<T>,
): Promise<T> {
  const db = await stage.database();
  try {
    return await work((sql, values) => db.query(sql, values));
  } finally {
    await db.close();
  }
}
