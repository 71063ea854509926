import { setTimeout as sleep } from 'node:timers/promises';
import type { RecordingRow } from '../../../server/src/catalog/recording-row.ts';
import { fates } from './plan.ts';
import type { Stage } from './stage.ts';
import type { Played } from './storm.ts';

const pollMs = 1_000;
/** A killed worker's lease, the sweep that finds it and what is left of the retries: minutes, not hours. */
const settleWithinMs = 15 * 60_000;

/** All that the catalog knows, by recording. */
export async function catalogOf(stage: Stage): Promise<Map<string, RecordingRow>> {
  const rows = new Map<string, RecordingRow>();
  for (;;) {
    const last = [...rows.keys()].at(-1);
    const page = await stage.api.list({
      limit: 1_000,
      ...(last && { after: last as RecordingRow['recordingSid'] }),
    });
    for (const row of page) rows.set(row.recordingSid, row);
    if (page.length < 1_000) return rows;
  }
}

const underway = (row: RecordingRow) =>
  ['registered', 'copying', 'sealed'].includes(row.state) ||
  // The stage's hosts prove every copy, and all that is verified here Twilio still has.
  (row.state === 'verified' && row.proof === undefined) ||
  (row.linkState === 'pending' && row.state !== 'failed');

/**
 * What operators do after a bad day: nothing but wait, reconcile, and start over what is in the dead letters. Resolves
 * with the catalog when nothing is under way any more.
 * @throws Error that names what does not come to an end
 */
export async function settle(
  stage: Stage,
  played: readonly Played[],
  tell: (line: string) => void,
): Promise<{ rows: Map<string, RecordingRow>; reconciled: number; replayed: number }> {
  await quiet(stage, tell);
  const before = (await catalogOf(stage)).size;
  await stage.command(
    'reconcile',
    '--since',
    new Date(Date.now() - 86_400_000).toISOString().slice(0, 10),
    '--json',
  );
  const reconciled = (await quiet(stage, tell)).size - before;
  const passing = [...(await catalogOf(stage)).values()].filter(
    ({ recordingSid, state, failure }) => state === 'failed' && failure !== fated(played).get(recordingSid),
  );
  for (const { recordingSid } of passing) await stage.command('recordings', 'retry', recordingSid);
  return { rows: await quiet(stage, tell), reconciled, replayed: passing.length };
}

/** Those that must fail, and why. */
const fated = (played: readonly Played[]): ReadonlyMap<string, string> =>
  new Map(
    played.flatMap(({ planned: { fate }, recording }) =>
      fate && fates[fate].state === 'failed' ? [[recording.sid, fates[fate].reason] as const] : [],
    ),
  );

async function quiet(stage: Stage, tell: (line: string) => void): Promise<Map<string, RecordingRow>> {
  const until = Date.now() + settleWithinMs;
  for (let poll = 0; ; poll += 1) {
    const rows = await catalogOf(stage);
    const open = [...rows.values()].filter(underway);
    if (open.length === 0) return rows;
    if (Date.now() > until) {
      const names = open.map(({ recordingSid, state, linkState, failure }) =>
        [recordingSid, state, linkState, failure].join(' '),
      );
      throw new Error(`${open.length} recordings come to no end: ${names.slice(0, 5).join('; ')}`);
    }
    if (poll % 10 === 9) tell(`${open.length} of ${rows.size} under way`);
    await sleep(pollMs);
  }
}
