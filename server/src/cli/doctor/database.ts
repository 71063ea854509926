import { correctionOf, differences, lineOf } from '../../custody/differences.ts';
import { custodyFacts } from '../../custody/facts.ts';
import { encryptIt, inTheClear } from '../../db/in-the-clear.ts';
import { migrations } from '../../db/migrations/index.ts';
import type { Health } from '../../http/operators/health.ts';
import { type RunView, resumeHours } from '../../runs/runs.ts';
import { advice, note, type Seen, unknownBefore } from './finding.ts';
import { orUndefined, type Scene } from './scene.ts';

const unread = unknownBefore('database');
const mostIndexesNamed = 3;
/** With more recordings, one statement of a sweep makes a listener wait for more than 50 ms. */
const mostEmbedded = 30_000;

const unset = 'nothing yet: the host sets the database up at its start';

export async function database(scene: Scene): Promise<Seen> {
  const { database: at } = scene.config;
  const host = 'url' in at ? await inTheClear(at.url) : undefined;
  if (host !== undefined) throw advice(`rows and password are sent to ${host} unencrypted`, encryptIt);
  const health = await scene.health();
  if (health === 'locked')
    return note(
      'embedded, in use by another process',
      'set CUSTODY_OPS_HOST and CUSTODY_OPS_PORT to those of the running host: the doctor then asks it',
    );
  const { kind, version } = health;
  const name = kind === 'pglite' ? 'embedded' : 'PostgreSQL';
  if (version === 0)
    return note(`${name}, empty: the host sets it up at its first start`, 'flex-custody serve');
  if (version > migrations.length)
    throw advice(`is at version ${version}, newer than this program`, 'run the newer release');
  const of = `${name}, version ${version} of ${migrations.length}`;
  if (version !== migrations.length)
    return note(
      `${of}: the host brings it up to date at its next start`,
      'restart the host: flex-custody serve',
    );
  const notes = [...ofIndexes(health), ...ofSize(health)];
  if (notes.length === 0) return of;
  return note(
    [of, ...notes.map(({ detail }) => detail)].join(', '),
    notes.map(({ next }) => next).join('; '),
  );
}

type Note = Exclude<Seen, string>;

function ofIndexes({ missingIndexes = [] }: Health): Note[] {
  if (missingIndexes.length === 0) return [];
  const which = missingIndexes.slice(0, mostIndexesNamed).join(', ');
  const more = missingIndexes.length > mostIndexesNamed ? ' and others' : '';
  return [
    {
      detail: `indexes missing or being built: ${missingIndexes.length} (${which}${more})`,
      next: 'wait: a host builds them in the background. If the number does not fall, read its log for "an index could not be built", and restart it',
    },
  ];
}

/** The embedded database runs on the host's own thread. */
function ofSize({ kind, work }: Health): Note[] {
  const { recordings = 0 } = work ?? {};
  if (kind !== 'pglite' || recordings <= mostEmbedded) return [];
  return [
    {
      detail: `${recordings.toLocaleString('en-US')} recordings`,
      next: `set DATABASE_URL to a PostgreSQL (docs/configuration.md): above ${mostEmbedded.toLocaleString('en-US')} recordings in the embedded database, playing waits while a sweep or an erasure works`,
    },
  ];
}

/** What the database holds; undefined if it does not answer, which the check `database` reports. */
async function workOf(scene: Scene): Promise<Health['work'] | 'unset' | undefined> {
  const health = await orUndefined(scene.health());
  if (health === undefined || health === 'locked') return undefined;
  return health.work ?? 'unset';
}

/** Whether this environment is the one that the database is bound to: a host with another one would not start. */
export async function custody(scene: Scene): Promise<Seen> {
  const work = await workOf(scene);
  if (work === undefined) return unread;
  if (work === 'unset' || !work.custody)
    return note('the database is not bound yet: the host binds it at its start', 'flex-custody serve');
  const { custody: bound } = work;
  const found = differences(bound, custodyFacts(scene.config));
  if (found.length > 0)
    throw advice(
      found.map(lineOf).join('; '),
      `${found.map(correctionOf).join('; ')}; if the move is intended, run flex-custody adopt-database`,
    );
  return `${bound.accountSid} and the bucket ${bound.bucket}, as in this environment`;
}

/** A job that has been due for this long has no worker. */
const longDueSeconds = 600;

export async function jobs(scene: Scene): Promise<Seen> {
  const work = await workOf(scene);
  if (work === undefined) return unread;
  if (work === 'unset') return unset;
  const { due, oldestSeconds = 0, dead } = work.jobs;
  const buried = dead > 0 ? `, ${dead} failed for good and not yet recorded as failed` : '';
  if (oldestSeconds > longDueSeconds)
    throw advice(
      `${due} due, the oldest for ${Math.round(oldestSeconds / 60)} minutes${buried}`,
      'start a host whose CUSTODY_ROLES has worker, or one more of them: flex-custody serve',
    );
  return due === 0 ? `none is due${buried}` : `${due} due, the oldest for ${oldestSeconds} s${buried}`;
}

export async function deadLetters(scene: Scene): Promise<Seen> {
  const work = await workOf(scene);
  if (work === undefined) return unread;
  if (work === 'unset') return unset;
  if (work.failed === 0) return 'none';
  throw advice(
    `${work.failed} recordings failed for good`,
    'flex-custody recordings failed says why; flex-custody recordings retry --all starts them over',
  );
}

/** How many copies were read back, and how many of them are proven equal to Twilio's media. */
export async function copies(scene: Scene): Promise<Seen> {
  const work = await workOf(scene);
  if (work === undefined || (work !== 'unset' && !work.copies)) return unread;
  if (work === 'unset' || !work.copies) return unset;
  const { verified, proven } = work.copies;
  return `${verified} verified, of them ${proven} proven equal to Twilio's media`;
}

export async function alarms(scene: Scene): Promise<Seen> {
  const work = await workOf(scene);
  if (work === undefined) return unread;
  if (work === 'unset') return unset;
  const standing = Object.entries(work.alarms);
  if (standing.length === 0) return 'none is open';
  const sum = standing.reduce((total, [, count]) => total + count, 0);
  throw advice(
    `${sum} open: ${standing.map(([code, count]) => `${code} ${count}`).join(', ')}`,
    'flex-custody alarms lists them, each with its next step',
  );
}

/** The last run of each scheduled comparison: with Twilio's list, and with the bucket. */
export async function reconcile(scene: Scene): Promise<Seen> {
  const work = await workOf(scene);
  if (work === undefined) return unread;
  if (work === 'unset') return unset;
  const { everyMinutes } = scene.config.reconcile;
  const look = work.runs.find(({ name }) => name === 'reconcile-recent' || name === 'reconcile');
  // The command compares both, unless it was run with --no-bucket.
  const pass = work.runs.find(
    ({ name, options }) =>
      name === 'reconcile-bucket' || (name === 'reconcile' && options['withoutBucket'] !== true),
  );
  if (!look && !pass && everyMinutes === 0)
    return note(
      'no comparison is scheduled',
      'set CUSTODY_RECONCILE_MINUTES, or run flex-custody reconcile --since DAY',
    );
  return [
    lastRun("Twilio's list", look, everyMinutes),
    lastRun('the bucket', pass, everyMinutes > 0 ? bucketMinutes : 0),
  ].join('; ');
}

/** A pass over the bucket begins within an hour when the last one has ended a day ago. */
const bucketMinutes = 25 * 60;

/** @throws advice where it stopped, or ended more than three times `everyMinutes` ago */
function lastRun(what: string, last: RunView | undefined, everyMinutes: number): string {
  if (!last) return `${what}: not compared yet`;
  if (last.running) return `${what}: is being compared`;
  if (last.failure !== undefined)
    throw advice(
      `${what}: the last run stopped (${last.failure})`,
      `flex-custody reconcile --since DAY compares now (within ${resumeHours} hours it continues a run of the command that stopped); the worker also continues its own runs`,
    );
  const minutes = Math.round((Date.now() - (last.finishedAt ?? last.updatedAt).getTime()) / 60_000);
  if (everyMinutes > 0 && minutes > 3 * everyMinutes)
    throw advice(
      `${what}: compared ${minutes} minutes ago; the schedule is every ${everyMinutes} minutes`,
      'start a host whose CUSTODY_ROLES has worker: flex-custody serve',
    );
  return `${what}: compared ${minutes} minutes ago`;
}
