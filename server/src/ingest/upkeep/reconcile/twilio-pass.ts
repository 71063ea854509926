import { setTimeout as sleep } from 'node:timers/promises';
import { CustodyError } from '@flex-custody/core';
import type { TwilioRecording } from '@flex-custody/twilio';
import type { RecordingRow } from '../../../catalog/recording-row.ts';
import type { IngestDeps } from '../../deps.ts';
import { registrationOf, settleUncopyable } from '../../intake/source.ts';
import { ingestJobs } from '../../jobs.ts';
import { logStep } from '../../log-step.ts';
import type { Tally } from './tally.ts';

/** Least time from the beginning of a page to that of the next, so that the account's other programs can use Twilio's API. */
const pageEveryMs = 250;
/** Twilio tries a callback for 15 s, and by this time the host itself does what a Function has left. */
export const settledMs = 15 * 60_000;
const mostPauseMs = 60_000;
const attempts = 8;
/** Twilio's dates have whole seconds, so recordings of the same second as the last one of a page are requested again. */
const secondMs = 1_000;

/** A range of times at which recordings were created. */
export interface Window {
  since: Date;
  until?: Date;
}

/** Recordings in one database query: the embedded database answers no other query meanwhile. */
const atOnce = 100;

export interface TakingIn {
  dryRun: boolean;
  /** Ms since a recording's end before it is registered: a younger one's callback may be on its way, or its Function copying. */
  settledMs: number;
}

const finished: readonly TwilioRecording['status'][] = ['completed', 'absent', 'failed'];

export type TwilioPassDeps = Pick<
  IngestDeps,
  'alarms' | 'catalog' | 'config' | 'log' | 'queue' | 'twilio' | 'twilioKeys'
>;

/**
 * Registers recordings that Twilio has and the catalog lacks, as a callback without hints would: no callback announced
 * them, or none arrived.
 * @param options.before where an earlier process stopped, as passed to `save`: the list is newest first
 * @param options.onUnderway called with each recording that is not finished, or has only just ended
 * @param save called after each page with the time at which its oldest recording was created
 */
export async function twilioPass(
  deps: TwilioPassDeps,
  { since, until }: Window,
  tally: Tally,
  options: TakingIn & {
    before: Date | undefined;
    signal: AbortSignal;
    onUnderway?: (facts: TwilioRecording) => void;
  },
  save: (oldest: Date) => Promise<void>,
): Promise<void> {
  const { before, signal, onUnderway } = options;
  const end = earlier(before && new Date(before.getTime() + secondMs), until);
  let next: string | undefined;
  do {
    const begun = performance.now();
    const page = await withRetries(
      () => deps.twilio.recordingsPage({ since, ...(end && { until: end }) }, next),
      signal,
    );
    for (let at = 0; at < page.recordings.length; at += atOnce) {
      const some = page.recordings.slice(at, at + atOnce);
      // Simultaneous lookups become one database query.
      const known = await Promise.all(some.map(({ sid }) => deps.catalog.find(sid)));
      for (const [index, facts] of some.entries())
        if ((await takeIn(deps, tally, facts, known[index], options)) === 'underway') onUnderway?.(facts);
    }
    next = page.next;
    if (page.oldest) await save(page.oldest);
    const rest = pageEveryMs - (performance.now() - begun);
    if (next !== undefined && rest > 0) await sleep(rest, undefined, { signal });
  } while (next !== undefined);
}

const earlier = (one: Date | undefined, other: Date | undefined): Date | undefined =>
  one && other ? (one < other ? one : other) : (one ?? other);

/**
 * Registers one recording that the catalog lacks, unless it is unfinished.
 * @param known its row in the catalog
 */
export async function takeIn(
  deps: TwilioPassDeps,
  tally: Tally,
  facts: TwilioRecording,
  known: RecordingRow | undefined,
  { dryRun, settledMs }: TakingIn,
): Promise<'known' | 'deleted' | 'underway' | 'missed'> {
  const { catalog, log, queue } = deps;
  tally.count('seen');
  if (known) {
    tally.count('known');
    if (known.state === 'failed') tally.count('failed');
    if (known.state === 'absent') tally.count(`absent_${known.failure ?? 'unknown'}`);
    return 'known';
  }
  // It was deleted before the host knew it, which may be intended: it is counted, without an alarm.
  if (facts.status === 'deleted') {
    tally.count('deleted');
    return 'deleted';
  }
  const ended = facts.startedAt.getTime() + (facts.durationSeconds ?? 0) * 1_000;
  if (Date.now() - ended < settledMs || !finished.includes(facts.status)) {
    tally.count('underway');
    return 'underway';
  }
  if (facts.status === 'absent' || facts.status === 'failed')
    tally.count(`absent_${facts.errorCode ?? 'unknown'}`);
  else tally.count('missed');
  if (dryRun) return 'missed';
  const { recordingSid } = await catalog.register(registrationOf(facts, 'reconcile'));
  logStep(log, 'registered', recordingSid);
  if (await settleUncopyable(deps, recordingSid, facts)) return 'missed';
  await queue.send(ingestJobs.link, { recordingSid });
  // After an outage there may be tens of thousands: calls that end now are copied first.
  await queue.send(ingestJobs.copy, { recordingSid }, { once: 'now', since: facts.startedAt });
  tally.count('ingested');
  return 'missed';
}

/** Repeats a request after Twilio's limits and outages, with a longer wait each time. */
export async function withRetries<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof CustodyError && error.retryable) || attempt === attempts) throw error;
      const most = Math.min(mostPauseMs, 500 * 2 ** attempt);
      await sleep(most / 2 + (Math.random() * most) / 2, undefined, { signal });
    }
  }
}
