import { setTimeout as sleep } from 'node:timers/promises';
import { CustodyError, errorOf } from '@flex-custody/core';
import { allSettings, type Config } from '../config.ts';
import type { OperatorApi } from '../http/operators/operator-api.ts';
import type { Log } from '../ingest/index.ts';
import { type Begin, type Json, type RunView, resumeHours } from '../runs/runs.ts';
import { type OpenedConfig, openConfig } from '../secrets/open-config.ts';
import { loadSigning } from '../signing/load.ts';
import { createHostDeps, createWorks } from '../start/host-deps.ts';
import { forTerminal } from './for-terminal.ts';
import { secretsOfHost, withOperatorApi } from './operator-api.ts';
import { printJson, table } from './output.ts';

export interface Screen {
  isTTY?: boolean;
  write(text: string): unknown;
}

const pollMs = 200;
const quietMs = 1_000;
/** How long a run of this process may take to end. */
const ownEndMs = 3_000;
/** Without a terminal, a line shows the progress after each such interval. */
const lineEveryMs = 10_000;

/** Of every command that begins long work. */
export const anewOption = [
  '--anew',
  `start from the beginning, even where a run of the last ${resumeHours} hours could be continued`,
] as const;

export interface How extends Begin {
  /** Called with the same operator API after the run has ended. */
  after?(api: OperatorApi, ended: RunView): Promise<void>;
}

/** Only warnings: the counts say what a run found. */
const quietLog: Log = {
  info: () => undefined,
  warn: (fields, message) => console.error(message, JSON.stringify(fields)),
  error: (fields, message) => console.error(message, JSON.stringify(fields)),
};

export type WholeConfig = OpenedConfig<keyof Config>;

/** The whole environment, with what it leaves to the store of secrets. */
export const openWholeConfig = (): Promise<WholeConfig> =>
  openConfig(allSettings, { otherwise: secretsOfHost });

/**
 * Does long work, in this process or in the host that has the database, and shows its progress. Ctrl-C stops a run of this
 * process; the same command continues it.
 * @throws CustodyError as the work, `run_busy`, `stopping`, or `watch_ended`
 */
export async function runWork(
  name: string,
  options: Json,
  opened?: WholeConfig,
  { anew, after }: How = {},
): Promise<RunView> {
  const { config, db } = opened ?? (await openWholeConfig());
  const stopping = new AbortController();
  const onSignal = () =>
    stopping.abort(
      new CustodyError(
        'stopping',
        `stopped; within ${resumeHours} hours the same command continues from here`,
      ),
    );
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  let ended: RunView | undefined;
  try {
    await withOperatorApi(
      async (api) => {
        ended = await follow(api, name, options, process.stderr, stopping.signal, { anew });
        await after?.(api, ended);
      },
      { config, ...(db && { db }) },
      {
        signal: stopping.signal,
        works(db, queue) {
          const deps = createHostDeps(config, db, queue, quietLog, loadSigning(config.signing));
          const release = () => {
            deps.store.close();
            deps.inventory?.store.close();
          };
          return { works: createWorks(deps), release };
        },
      },
    );
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
  if (!ended) throw new Error('a run without an end');
  return ended;
}

/** Begins it and waits for its end. @throws CustodyError with the failure of the run */
export async function follow(
  api: Pick<OperatorApi, 'begin' | 'look'>,
  name: string,
  options: Json,
  screen: Screen,
  signal: AbortSignal,
  how: Begin = {},
): Promise<RunView> {
  await api.begin(name, options, how);
  const begun = Date.now();
  let said = begun;
  let shown = false;
  let stopped: number | undefined;
  for (let looks = 0; ; looks += 1) {
    const view = await api.look(name);
    if (looks === 0 && view.resumedFrom) screen.write(`${continuesText(view.resumedFrom)}\n`);
    if (!view.running) {
      if (shown) screen.write('\n');
      if (view.finishedAt) return view;
      const [, code = 'unexpected', words = 'the run stopped'] =
        /^(\w+): (.*)$/s.exec(view.failure ?? '') ?? [];
      throw errorOf(code, words);
    }
    const now = Date.now();
    if (screen.isTTY && now - begun > quietMs) {
      screen.write(`\r\u001b[K${forTerminal(progressLine(view, now))}`);
      shown = true;
    } else if (!screen.isTTY && now - said > lineEveryMs) {
      screen.write(`${progressLine(view, now)}\n`);
      said = now;
    }
    await sleep(pollMs);
    // A run of this process received the signal too, and ends soon; a run of a host continues.
    if (signal.aborted) stopped ??= now;
    if (stopped && now - stopped > ownEndMs) {
      throw new CustodyError('watch_ended', 'no longer followed: the host continues it');
    }
  }
}

const continuesText = ({ startedAt, stoppedAt }: NonNullable<RunView['resumedFrom']>): string =>
  `Continues the run of ${startedAt.toISOString()} from where it stopped (at ${stoppedAt.toISOString()}).`;

const barWidth = 24;

export function progressLine({ name, counts, total, startedAt, resumedFrom }: RunView, now: number): string {
  const { done = 0, ...others } = counts;
  const seconds = Math.max(1, (now - startedAt.getTime()) / 1_000);
  const share = total ? Math.min(1, done / total) : undefined;
  const filled = Math.round((share ?? 0) * barWidth);
  const bar = share === undefined ? '' : `[${'#'.repeat(filled)}${'-'.repeat(barWidth - filled)}] `;
  const found = Object.entries(others)
    .map(([what, number]) => `${what.replaceAll('_', ' ')} ${number}`)
    .join(', ');
  const of = total ? ` of ${total}` : '';
  // The counts of an earlier run say nothing about the speed of this one.
  const speed = resumedFrom ? '' : `, ${Math.round(done / seconds)}/s`;
  return `${name} ${bar}${done}${of}${speed}${found ? `: ${found}` : ''}`;
}

/** Of every command that begins long work. */
export const jsonOption = [
  '--json',
  '{name, counts, dryRun?, notes?, startedAt, resumedFrom?, finishedAt, finished}',
] as const;

const isDryRun = ({ options }: RunView): boolean => options['dryRun'] === true;

/** Prints what a run ended in. `more`: further fields of the JSON value. */
export function printRun(ended: RunView, json: boolean | undefined, more: object = {}): void {
  if (json) printJson({ ...jsonOf(ended), ...more });
  else console.log(endText(ended));
}

/** The results by name, then the counts; for a run that continued another one, also since when they count. */
export function endText(ended: RunView): string {
  const { counts, notes = {}, unnamed = 0, resumedFrom } = ended;
  // Names from outside: untrusted text.
  const plain = (text: string) => text.replace(/\p{C}/gu, '?');
  const rows = Object.entries(notes).map(([which, what]) => [plain(which), plain(what)]);
  const { done: _, ...found } = counts;
  const counted = Object.entries(found).map(([what, count]) => [what.replaceAll('_', ' '), count]);
  return [
    ...(rows.length > 0 ? [...table(['NAME', 'RESULT'], rows), ''] : []),
    ...(unnamed > 0 ? [`${unnamed} more are named in the log of the host.`, ''] : []),
    ...(counted.length > 0 ? table(['RESULT', 'COUNT'], counted) : ['No matching recordings.']),
    ...(resumedFrom
      ? [
          `Counted since ${resumedFrom.startedAt.toISOString()}, when the continued run began (--anew starts from the beginning).`,
        ]
      : []),
    ...(isDryRun(ended) ? ['Dry run: nothing changed.'] : []),
  ].join('\n');
}

/** For programs. */
export function jsonOf(ended: RunView): object {
  const { name, counts, notes, unnamed, startedAt, resumedFrom, finishedAt } = ended;
  const { done: _, ...found } = counts;
  return {
    name,
    counts: found,
    ...(isDryRun(ended) && { dryRun: true }),
    ...(notes && { notes }),
    ...(unnamed !== undefined && { unnamed }),
    startedAt,
    ...(resumedFrom && { resumedFrom }),
    finishedAt,
    finished: finishedAt !== undefined,
  };
}
