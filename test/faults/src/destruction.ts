import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../../../sandbox/src/faults.ts';
import type { RecordingRow } from '../../../server/src/catalog/recording-row.ts';
import { type Random, random } from './random.ts';
import { catalogOf } from './settle.ts';
import type { Stage } from './stage.ts';

/**
 * What is to become of a recording: `kept`, since its time is not over; `due`, since it is; `asked` for by an operator;
 * `held`, though its time is over and an operator asks for it; `lifted`: held until somebody lifts the hold.
 */
export const parts = ['kept', 'due', 'asked', 'held', 'lifted'] as const;
export type Part = (typeof parts)[number];

export interface Destruction {
  /** By recording; of all that were verified when it began. */
  parts: ReadonlyMap<string, Part>;
  /** SHA-256 of each one's audio. With its original it goes at Twilio. */
  digests: ReadonlyMap<string, string>;
  counts: { destroyerKills: number; refusedErasures: number; policies: number };
}

const dayMs = 86_400_000;
const keptDays = 15;
/** Recordings whose time is over began so long ago. */
const dueDays = 60;
/** Kept ones would be due by it, and the certificates of the doubles are not over. */
const aheadMs = 20 * dayMs;
const stepMs = 9_000;
const endsWithinMs = 6 * 60_000;

/**
 * The second act: what was recorded is held, lifted, asked for, kept long enough, rotated and deleted at Twilio, all at
 * once, while processes are killed, stores fail, one key is away for a while and one host's clock is wrong.
 */
export async function destroy(
  stage: Stage,
  { seed, kills, rows }: { seed: number; kills: number; rows: ReadonlyMap<string, RecordingRow> },
  tell: (line: string) => void,
): Promise<Destruction> {
  const dice = random(seed ^ 0x5eed);
  const counts = { destroyerKills: 0, refusedErasures: 0, policies: 0 };
  const digests = new Map(
    [...rows.values()].map(({ recordingSid, object }) => [
      recordingSid as string,
      object?.plaintextSha256 ?? '',
    ]),
  );
  await stage.stopHosts();
  const roles = await moveTime(stage, dice);
  const keys = keyFiles(stage.secrets.keyFile);
  const of = (...wanted: Part[]) =>
    [...roles].filter(([, part]) => wanted.includes(part)).map(([sid]) => sid);
  const held = of('held');
  const passing: string[] = [];
  const apply = async (recordings: readonly string[]) => {
    await stage.command('policy', 'apply', policyFile(stage, recordings), '--yes', '--json');
    counts.policies += 1;
  };
  await apply([...held, ...of('lifted')]);
  const usual = { DELETE_SOURCE_AFTER: '2h', CUSTODY_KEY_FILE: keys.both };
  const wrongClock = {
    NODE_OPTIONS: `--require ${join(process.cwd(), 'test/faults/clock.cjs')}`,
    FAULTS_CLOCK_AHEAD_MS: `${aheadMs}`,
  };
  const set = (more: Readonly<Record<string, string>>) => {
    for (const host of ['host', 'worker'] as const) stage.settings(host, { ...usual, ...more });
  };
  set({});
  await stage.startHosts();

  const kill = async (victim: 'host' | 'worker') => {
    if ((await stage.kill(victim)) || (await stage.kill('host'))) counts.destroyerKills += 1;
  };
  /** All hosts, with other settings. */
  const restart = async (more: Readonly<Record<string, string>>) => {
    set(more);
    for (const host of ['host', 'worker'] as const) if (await stage.kill(host)) counts.destroyerKills += 1;
  };
  /** As an operator does it, who tries again where the host is away. */
  const ask = async (...args: string[]) => {
    try {
      await stage.command(...args);
      return true;
    } catch {
      return false;
    }
  };
  const violence: (() => Promise<unknown>)[] = [
    ...Array.from({ length: kills }, () => () => kill(dice.pick(['host', 'worker']))),
    () => restart({ CUSTODY_KEY_FILE: keys.newest }),
    () => restart({}),
    () => restart(wrongClock),
    () => restart({}),
  ];
  let over = false;
  const operators = async () => {
    const heldInPassing = of('kept').slice(0, 3);
    for (let turn = 0; !over; turn += 1) {
      const fault = dice.pick(troubles);
      stage.sandbox.twilio.faults.add(fault);
      if (turn % 4 === 0) {
        // Somebody writes a hold on what is kept anyway, and lifts it again.
        if (passing.length > 0) passing.splice(0);
        else passing.push(...heldInPassing);
        await apply([...held, ...of('lifted'), ...passing]).catch(() => undefined);
      }
      if (turn % 4 === 1) await ask('rotate-keys', '--json');
      // In turn: however slow the machine is, held ones are asked for as often as those that may go.
      const named = turn % 2 === 0 ? of('asked') : held;
      const wanted = named[Math.floor(turn / 2) % Math.max(1, named.length)];
      const went = wanted && (await ask('erase', '--recording', wanted, '--yes', '--json'));
      if (wanted && roles.get(wanted) === 'held' && !went) counts.refusedErasures += 1;
      await sleep(200);
    }
  };
  const working = operators();
  try {
    for (const [index, act] of violence.entries()) {
      await sleep(stepMs);
      await act();
      tell(`destroying: ${index + 1} of ${violence.length} blows`);
    }
  } finally {
    over = true;
    await working;
  }
  stage.sandbox.twilio.faults.clear();
  await insist(() => apply(held));
  await end(stage, { roles, asked: of('asked'), ask, tell });
  return { parts: roles, digests, counts };
}

const troubles: readonly Fault[] = [
  { target: 's3', kind: 'status', value: 503, times: 2 },
  { target: 's3', kind: 'cut', times: 1 },
  { target: 's3', kind: 'status', value: 503, times: 1, match: 'DELETE' },
  { target: 'api', kind: 'status', value: 503, times: 2 },
  { target: 'api', kind: 'status', value: 503, times: 1, match: 'DELETE' },
  { target: 'api', kind: 'cut', times: 1 },
];

async function insist(work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await work();
      return;
    } catch (error) {
      if (attempt === 20) throw error;
      await sleep(1_000);
    }
  }
}

/** Asked again and again until all that is to go is gone, and Twilio has no original of what is kept. */
async function end(
  stage: Stage,
  {
    roles,
    asked,
    ask,
    tell,
  }: {
    roles: ReadonlyMap<string, Part>;
    asked: readonly string[];
    ask(...args: string[]): Promise<boolean>;
    tell(line: string): void;
  },
): Promise<void> {
  const until = Date.now() + endsWithinMs;
  for (;;) {
    const rows = await catalogOf(stage);
    const open = [...roles].filter(([sid, part]) => {
      const row = rows.get(sid);
      if (part === 'kept') return row?.sourceDeletedAt === undefined;
      return part !== 'held' && row?.erasedAt === undefined;
    });
    if (open.length === 0) return;
    tell(`${open.length} of ${roles.size} still to go`);
    // What does not end is what the judge has to say.
    if (Date.now() > until) return;
    // Of a catalog of some hundred, what goes here is unusually much at once, and meant.
    await ask('retention', '--yes', '--json');
    const left = asked.filter((sid) => open.some(([one]) => one === sid));
    if (left.length > 0)
      await ask('erase', ...left.flatMap((sid) => ['--recording', sid]), '--yes', '--json');
    // Originals are looked for at a host's start, and a quarter of an hour later.
    await stage.kill('host');
    await sleep(2_000);
  }
}

/** As if months had passed, which nobody here can wait for. */
async function moveTime(stage: Stage, dice: Random): Promise<Map<string, Part>> {
  const db = await stage.database();
  try {
    const rows = await db.query<{ sid: string; proven: boolean }>(
      `SELECT recording_sid AS sid, unproven = '{}' AS proven FROM recordings WHERE state = 'verified' ORDER BY recording_sid`,
    );
    const roles = new Map<string, Part>();
    for (const [index, { sid, proven }] of rows.entries())
      roles.set(sid, proven ? (parts[index] ?? dice.pick(parts)) : 'kept');
    const old = [...roles].filter(([, part]) => ['due', 'held', 'lifted'].includes(part));
    await db.query(
      `UPDATE recordings SET verified_at = verified_at - interval '5 hours' WHERE state = 'verified'`,
    );
    await db.query(
      `UPDATE recordings SET started_at = started_at - $2::double precision * interval '1 day'
       WHERE recording_sid = ANY($1::text[])`,
      [old.map(([sid]) => sid), dueDays],
    );
    return roles;
  } finally {
    await db.close();
  }
}

function policyFile(stage: Stage, recordings: readonly string[]): string {
  const file = join(stage.logFolder, '..', 'policy.yaml');
  const holds =
    recordings.length === 0
      ? ''
      : `holds:\n  - id: case\n    recordings:\n${recordings.map((sid) => `      - ${sid}\n`).join('')}`;
  writeFileSync(file, `version: 1\nkeep:\n  default: ${keptDays}\n${holds}`);
  return file;
}

/** A newer key above the one that everything is sealed by; and the newer one alone. */
function keyFiles(file: string): { both: string; newest: string } {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const newer = `# key id: newer\n${privateKey}`;
  const [both, newest] = ['both.pem', 'newest.pem'].map((name) => join(dirname(file), name)) as [
    string,
    string,
  ];
  writeFileSync(newest, newer, { mode: 0o600 });
  writeFileSync(both, `${newer}${readFileSync(file, 'utf8')}`, { mode: 0o600 });
  return { both, newest };
}
