import { randomUUID } from 'node:crypto';
import { CustodyError, errorCode } from '@flex-custody/core';
import { orAborted } from '@flex-custody/net';
import type { Db } from '../db/db.ts';

export type Json = Record<string, unknown>;

/** Long work that an operator or a schedule begins, and that any process can continue where it stopped. */
export type Work = (run: Run) => Promise<void>;

/** One run, as the work sees it. */
export interface Run {
  readonly options: Readonly<Json>;
  /** The state of the last {@link save}, by this or an earlier process; undefined at the beginning. */
  readonly state: Readonly<Json> | undefined;
  /** As last saved: the counts continue too. */
  readonly counts: Readonly<Record<string, number>>;
  /** Aborts when the process ends or another one has taken over the run. */
  readonly signal: AbortSignal;
  /**
   * Saves progress and counts, which `look` returns. `total` belongs to `counts.done`, if it is known.
   * @throws CustodyError `run_taken` if another process has taken over the run
   */
  save(state: Json, counts: Record<string, number>, total?: number): Promise<void>;
}

export interface RunView {
  name: string;
  options: Json;
  counts: Record<string, number>;
  total?: number;
  /** Results by name, for display, from the state's `notes`. */
  notes?: Record<string, string>;
  /** How many more results there were than `notes` has. */
  unnamed?: number;
  startedAt: Date;
  /** For a run that continued an earlier one: that one's begin, from which the counts run, and its last save. */
  resumedFrom?: { startedAt: Date; stoppedAt: Date };
  updatedAt: Date;
  finishedAt?: Date;
  /** Code and message of the failure; if it is begun again within hours, the run continues. */
  failure?: string;
  /** A process works on it. */
  running: boolean;
}

export interface Begin {
  /** Starts from the beginning, even if an earlier run could be continued. */
  anew?: boolean | undefined;
}

export interface Runs {
  look(name: string): Promise<RunView | undefined>;
  /** The last run of each name, newest first. */
  all(): Promise<RunView[]>;
  /**
   * Does the work in this process. It continues a run of the same name and options that did not end, within
   * {@link resumeHours} of its last save; later, with other options, or after an end, it starts from the beginning.
   * @throws CustodyError `run_busy` (409) while another process works on it, or the error of the work
   */
  run(name: string, options: Json, work: Work, signal?: AbortSignal, how?: Begin): Promise<RunView>;
  /** The same without waiting for the end: resolves when the run has begun. `ended` rejects with the error of the work. */
  begin(
    name: string,
    options: Json,
    work: Work,
    signal?: AbortSignal,
    how?: Begin,
  ): Promise<{ ended: Promise<RunView> }>;
}

const heldMs = 60_000;
/** As long as a job of the queue may take: work that saves nothing for this time hangs. */
const longestStillMs = 2 * 60 * 60_000;
/** How long after its last save a run can be continued. */
export const resumeHours = 6;

/** By the database's clock, as every time here. */
const isRecent = (run: string) => `${run}.saved_at > now() - interval '${resumeHours} hours'`;
/** Whether the run `had` is continued; `$5` asks for the beginning. */
const resumes = `(had.finished_at IS NULL AND had.options = excluded.options AND had.state IS NOT NULL
  AND ${isRecent('had')} AND NOT $5::boolean)`;

/** Options of an erasure that must not outlast it. A recording's own SID stays in the catalog too. */
const targets = ['callers', 'tasks'];
const withoutTargets = `options - ARRAY[${targets.map((one) => `'${one}'`).join(', ')}]`;

interface Row {
  name: string;
  options: Json;
  state: Json | null;
  counts: Record<string, number>;
  total: number | null;
  /** By the database's clock, which every process shares. */
  held: boolean | null;
  started_at: Date;
  resumed_from: Date | null;
  stopped_at: Date | null;
  updated_at: Date;
  finished_at: Date | null;
  failure: string | null;
}

const isNotes = (value: unknown): value is Record<string, string> =>
  typeof value === 'object' && value !== null && Object.keys(value).length > 0;

const toView = (row: Row): RunView => ({
  name: row.name,
  options: row.options,
  counts: row.counts,
  ...(row.total !== null && { total: row.total }),
  ...(isNotes(row.state?.['notes']) && { notes: row.state['notes'] }),
  ...(typeof row.state?.['unnamed'] === 'number' && { unnamed: row.state['unnamed'] }),
  startedAt: row.started_at,
  ...(row.resumed_from &&
    row.stopped_at && { resumedFrom: { startedAt: row.resumed_from, stoppedAt: row.stopped_at } }),
  updatedAt: row.updated_at,
  ...(row.finished_at && { finishedAt: row.finished_at }),
  ...(row.failure !== null && { failure: row.failure }),
  running: row.held === true,
});

export function createRuns(db: Db, stillMs: number = longestStillMs): Runs {
  /** The targets of an erasure are kept only while the run can be continued. */
  const forgetTargets = () =>
    db.query(
      `UPDATE runs SET options = ${withoutTargets}, state = NULL
         WHERE (${targets.map((one) => `jsonb_exists(options, '${one}')`).join(' OR ')}) AND finished_at IS NULL AND (held_until IS NULL OR held_until < now())
           AND updated_at < now() - interval '${resumeHours} hours' AND ${isRecent('runs')} IS NOT TRUE`,
    );

  const take = async (name: string, options: Json, holder: string, anew: boolean): Promise<Row> => {
    await forgetTargets();
    const [row] = await db.query<Row>(
      `INSERT INTO runs AS had (name, options, holder, held_until)
       VALUES ($1, $2::jsonb, $3::uuid, now() + $4::double precision * interval '1 millisecond')
       ON CONFLICT (name) DO UPDATE SET
         options = excluded.options, holder = excluded.holder, held_until = excluded.held_until,
         state = CASE WHEN ${resumes} THEN had.state END,
         counts = CASE WHEN ${resumes} THEN had.counts ELSE '{}' END,
         total = CASE WHEN ${resumes} THEN had.total END,
         saved_at = CASE WHEN ${resumes} THEN had.saved_at END,
         stopped_at = CASE WHEN ${resumes} THEN had.saved_at END,
         resumed_from = CASE WHEN ${resumes} THEN coalesce(had.resumed_from, had.started_at) END,
         started_at = now(), updated_at = now(), finished_at = NULL, failure = NULL
       WHERE had.held_until IS NULL OR had.held_until < now()
       RETURNING *, true AS held`,
      [name, JSON.stringify(options), holder, heldMs, anew],
    );
    if (row) return row;
    throw new CustodyError('run_busy', `${name} is running already, in another process`);
  };

  const look = async (name: string) => {
    const [row] = await db.query<Row>('SELECT *, held_until > now() AS held FROM runs WHERE name = $1', [
      name,
    ]);
    return row && toView(row);
  };

  const carryOut = async (
    name: string,
    { row, holder, work, signal }: { row: Row; holder: string; work: Work; signal: AbortSignal | undefined },
  ): Promise<RunView> => {
    const taken = new AbortController();
    const hold = async (): Promise<void> => {
      const held = await db.query(
        `UPDATE runs SET held_until = now() + $3::double precision * interval '1 millisecond'
           WHERE name = $1 AND holder = $2::uuid RETURNING name`,
        [name, holder, heldMs],
      );
      if (held.length === 0) taken.abort(lost(name));
    };
    const timer = setInterval(() => void hold().catch(() => undefined), heldMs / 4);
    timer.unref();
    const still = setTimeout(() => taken.abort(stalled(name, stillMs)), stillMs);
    still.unref();
    // A finished erasure drops its targets. An unfinished one keeps them: without them its options could equal those of
    // another erasure, which would then continue from this one's cursor.
    const end = (failure: string | null) =>
      db.query(
        `UPDATE runs SET held_until = NULL, failure = $3, updated_at = now(),
             options = CASE WHEN $3::text IS NULL THEN ${withoutTargets} ELSE options END,
             finished_at = CASE WHEN $3::text IS NULL THEN now() END
           WHERE name = $1 AND holder = $2::uuid`,
        [name, holder, failure],
      );
    try {
      const working = work({
        options: row.options,
        state: row.state ?? undefined,
        counts: row.counts,
        signal: signal ? AbortSignal.any([signal, taken.signal]) : taken.signal,
        async save(state, counts, total) {
          const saved = await db.query(
            `UPDATE runs SET state = $3::jsonb, counts = $4::jsonb, total = $5, updated_at = now(), saved_at = now(),
                 held_until = now() + $6::double precision * interval '1 millisecond'
               WHERE name = $1 AND holder = $2::uuid RETURNING name`,
            [name, holder, JSON.stringify(state), JSON.stringify(counts), total ?? null, heldMs],
          );
          if (saved.length === 0) throw lost(name);
          still.refresh();
        },
      });
      // Work that ignores the signal must not keep other processes from the run.
      await orAborted(working, taken.signal);
      await end(null);
    } catch (error) {
      const words = error instanceof CustodyError ? error.message : error instanceof Error ? error.name : '';
      await end(`${errorCode(error)}: ${words}`).catch(() => undefined);
      throw error;
    } finally {
      clearInterval(timer);
      clearTimeout(still);
    }
    const ended = await look(name);
    if (!ended) throw new CustodyError('run_taken', `another process took over ${name} while it ran`);
    return ended;
  };

  const runs: Runs = {
    look,
    async all() {
      const rows = await db.query<Row>('SELECT * FROM runs ORDER BY updated_at DESC, name');
      return rows.map(toView);
    },
    async begin(name, options, work, signal, { anew = false } = {}) {
      const holder = randomUUID();
      const row = await take(name, options, holder, anew);
      return { ended: carryOut(name, { row, holder, work, signal }) };
    },
    async run(name, options, work, signal, how) {
      return (await runs.begin(name, options, work, signal, how)).ended;
    },
  };
  return runs;
}

const stalled = (name: string, ms: number) =>
  new CustodyError(
    'stalled',
    `${name} saved nothing for ${ms / 60_000} minutes: begin it again, and it continues where it stopped`,
  );

const lost = (name: string) => new CustodyError('run_taken', `another process has taken over ${name}`);
