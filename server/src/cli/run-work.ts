import { setTimeout as sleep } from 'node:timers/promises';
import { CustodyError } from '@flex-custody/core';
import { type Config, loadConfig } from '../config.ts';
import type { Desk } from '../http/operators/desk.ts';
import type { Log } from '../ingest/index.ts';
import type { Json, RunView } from '../runs/runs.ts';
import { loadSigning } from '../signing/load.ts';
import { createParts, createWorks } from '../start/parts.ts';
import { atDesk } from './at-desk.ts';

export interface Screen {
  isTTY?: boolean;
  write(text: string): unknown;
}

const pollMs = 200;
const quietMs = 1_000;
/** How long a run of this process may take to end. */
const ownEndMs = 3_000;
/** Where nobody watches, a line now and then tells that it lives. */
const lineEveryMs = 10_000;

/** Warnings alone: what is found is said by counts. */
const quietLog: Log = {
  info: () => undefined,
  warn: (fields, message) => console.error(message, JSON.stringify(fields)),
  error: (fields, message) => console.error(message, JSON.stringify(fields)),
};

/**
 * Does long work, in this process or in the host that has the database, and shows how far it is. Ctrl-C ends it where it
 * is ours, to be gone on with by the same command.
 * @throws CustodyError as the work, `run_busy`, or `stopping`
 */
export async function runWork(name: string, options: Json, config: Config = loadConfig()): Promise<RunView> {
  const stopping = new AbortController();
  const onSignal = () =>
    stopping.abort(
      new CustodyError('stopping', 'stopped; the same command goes on from here', { retryable: true }),
    );
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  let ended: RunView | undefined;
  try {
    await atDesk(
      async (desk) => {
        ended = await follow(desk, name, options, process.stderr, stopping.signal);
      },
      config,
      undefined,
      {
        signal: stopping.signal,
        works(db, queue) {
          const parts = createParts(config, db, queue, quietLog, loadSigning(config.signing));
          return { works: createWorks(parts), release: () => parts.store.close() };
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

/** Begins it and waits for its end. @throws CustodyError with the failure that the run ended in */
export async function follow(
  desk: Pick<Desk, 'begin' | 'look'>,
  name: string,
  options: Json,
  screen: Screen,
  signal: AbortSignal,
): Promise<RunView> {
  await desk.begin(name, options);
  const begun = Date.now();
  let said = begun;
  let shown = false;
  let stopped: number | undefined;
  for (;;) {
    const view = await desk.look(name);
    if (!view.running) {
      if (shown) screen.write('\n');
      if (view.finishedAt) return view;
      const [, code = 'unexpected', words = 'it broke off'] = /^(\w+): (.*)$/s.exec(view.failure ?? '') ?? [];
      throw new CustodyError(code, words);
    }
    const now = Date.now();
    if (screen.isTTY && now - begun > quietMs) {
      screen.write(`\r\u001b[K${progressLine(view, now)}`);
      shown = true;
    } else if (!screen.isTTY && now - said > lineEveryMs) {
      screen.write(`${progressLine(view, now)}\n`);
      said = now;
    }
    await sleep(pollMs);
    // Our own run has heard of the signal, and says in a moment how it ended; a host's does not care.
    if (signal.aborted) stopped ??= now;
    if (stopped && now - stopped > ownEndMs) {
      throw new CustodyError('stopping', 'not watched any more: the host goes on with it');
    }
  }
}

const barWidth = 24;

export function progressLine({ name, counts, total, startedAt }: RunView, now: number): string {
  const { done = 0, ...others } = counts;
  const seconds = Math.max(1, (now - startedAt.getTime()) / 1_000);
  const share = total ? Math.min(1, done / total) : undefined;
  const filled = Math.round((share ?? 0) * barWidth);
  const bar = share === undefined ? '' : `[${'#'.repeat(filled)}${'-'.repeat(barWidth - filled)}] `;
  const found = Object.entries(others)
    .map(([what, number]) => `${what.replaceAll('_', ' ')} ${number}`)
    .join(', ');
  const of = total ? ` of ${total}` : '';
  return `${name} ${bar}${done}${of}, ${Math.round(done / seconds)}/s${found ? `: ${found}` : ''}`;
}

/** What was counted, one line each, aligned. */
export function summary({ counts }: RunView): string {
  const { done: _, ...found } = counts;
  const names = Object.keys(found);
  if (names.length === 0) return 'Nothing was to be done.';
  const width = Math.max(...names.map((name) => name.length));
  return names
    .map((name) => `${name.replaceAll('_', ' ').padEnd(width)}  ${String(found[name]).padStart(8)}`)
    .join('\n');
}

/** The only line of standard output with `--json`. */
export function jsonOf({ name, counts, notes, startedAt, finishedAt }: RunView): string {
  const { done: _, ...found } = counts;
  return JSON.stringify({
    name,
    counts: found,
    ...(notes && { notes }),
    startedAt,
    finishedAt,
    finished: finishedAt !== undefined,
  });
}
