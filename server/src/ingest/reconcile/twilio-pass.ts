import { setTimeout as sleep } from 'node:timers/promises';
import { CustodyError } from '@flex-custody/core';
import type { RecordingPage, TwilioRecording } from '@flex-custody/twilio';
import type { IngestParts } from '../parts.ts';
import { registrationOf, settleUncopyable } from '../source.ts';
import { logStep } from '../steps.ts';
import type { Tally } from './tally.ts';

/** Between two pages: an account's other programs want to ask Twilio too. */
const pauseMs = 250;
const mostPauseMs = 60_000;
const attempts = 8;

export interface Window {
  since: Date;
  until?: Date;
  /** Younger ones are left alone: their callback is on its way, or its Function at work. Ms since the recording's end. */
  settledMs: number;
}

const finished: readonly TwilioRecording['status'][] = ['completed', 'absent', 'failed'];

type Parts = Pick<IngestParts, 'alarms' | 'catalog' | 'config' | 'log' | 'queue' | 'twilio' | 'twilioKeys'>;

/**
 * Twilio has it and the catalog lacks it: no callback announced it, or none arrived. Takes it in as a callback would,
 * without hints.
 * @param save called after each page with the one that comes next; undefined: it was the last
 */
export async function twilioPass(
  parts: Parts,
  window: Window,
  tally: Tally,
  options: { dryRun: boolean; page: string | undefined; signal: AbortSignal },
  save: (next: string | undefined) => Promise<void>,
): Promise<void> {
  for (let next = options.page, first = true; first || next !== undefined; first = false) {
    if (!first) await sleep(pauseMs, undefined, { signal: options.signal });
    const page = await patiently(() => parts.twilio.recordingsPage(window, next), options.signal);
    for (const facts of page.recordings) await takeIn(parts, window, tally, facts, options.dryRun);
    next = page.next;
    await save(next);
  }
}

async function takeIn(
  parts: Parts,
  { settledMs }: Window,
  tally: Tally,
  facts: TwilioRecording,
  dryRun: boolean,
): Promise<void> {
  const { catalog, log, queue } = parts;
  tally.count('seen');
  const known = await catalog.find(facts.sid);
  if (known) {
    tally.count('known');
    if (known.state === 'failed') tally.count('failed');
    if (known.state === 'absent') tally.count(`absent_${known.failure ?? 'unknown'}`);
    return;
  }
  // Whoever deleted it before it was known here may have had every right to: counted, and no alarm.
  if (facts.status === 'deleted') {
    tally.count('deleted');
    return;
  }
  const ended = facts.startedAt.getTime() + (facts.durationSeconds ?? 0) * 1_000;
  if (Date.now() - ended < settledMs || !finished.includes(facts.status)) {
    tally.count('underway');
    return;
  }
  if (facts.status === 'absent' || facts.status === 'failed')
    tally.count(`absent_${facts.errorCode ?? 'unknown'}`);
  else tally.count('missed');
  if (dryRun) return;
  const { recordingSid } = await catalog.register(registrationOf(facts, 'reconcile'));
  logStep(log, 'registered', recordingSid);
  if (await settleUncopyable(parts, recordingSid, facts)) return;
  await queue.send('link', { recordingSid }, { once: recordingSid });
  await queue.send('copy', { recordingSid }, { once: `now:${recordingSid}` });
  tally.count('ingested');
}

/** Twilio's limits and outages are waited for, longer each time. */
async function patiently(ask: () => Promise<RecordingPage>, signal: AbortSignal): Promise<RecordingPage> {
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
