import { CustodyError } from '@flex-custody/core';
import { inTime } from '@flex-custody/net';
import type { Run } from '../runs/runs.ts';
import { type ConnectorCheck, failed, fix, lineOf, type Verdict } from './check.ts';

/** Limit of each check; all of Twilio's and all of Brevo's requests have limits of their own. */
const limitMs = 30_000;

/** Runs the checks in their order and keeps what each found as a note; `problems` counts those that must be fixed. */
export async function runChecks(checks: readonly ConnectorCheck[], run: Run): Promise<void> {
  const notes: Record<string, string> = {};
  const counts = { done: 0, problems: 0, notes: 0 };
  for (const check of checks) {
    const verdict = await verdictOfCheck(check, run.signal);
    notes[check.name] = lineOf(verdict);
    counts.done += 1;
    if (verdict.level === 'fix') counts.problems += 1;
    if (verdict.level === 'note') counts.notes += 1;
    await run.save({ notes }, counts, checks.length);
  }
}

async function verdictOfCheck({ look }: ConnectorCheck, signal: AbortSignal): Promise<Verdict> {
  const over = new AbortController();
  try {
    const late = () => new CustodyError('timeout', `no answer within ${limitMs / 1_000} s`);
    return await inTime(look(AbortSignal.any([signal, over.signal])), limitMs, late);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CustodyError && error.code === 'timeout')
      return fix(error.message, 'check the network, proxy and firewall on the way');
    return failed(error);
  } finally {
    over.abort();
  }
}
