import type { RecordingPlace } from '@flex-custody/twilio';
import { createTally } from './tally.ts';
import { settledMs, type TwilioPassDeps, takeIn, withRetries } from './twilio-pass.ts';

/**
 * Asks Twilio for the recordings of one call or conference, and registers those that the catalog lacks, as `reconcile` does.
 * @returns how many of each kind, by the names of docs/reconcile.md
 * @throws CustodyError as TwilioApi and the catalog do
 */
export async function takeInPlace(
  deps: TwilioPassDeps,
  place: RecordingPlace,
  { dryRun, signal }: { dryRun: boolean; signal: AbortSignal },
): Promise<Readonly<Record<string, number>>> {
  const { catalog, config, twilio } = deps;
  const tally = createTally();
  for (const facts of await withRetries(() => twilio.recordingsAt(place), signal))
    if (facts.accountSid === config.accountSid)
      await takeIn(deps, tally, facts, await catalog.find(facts.sid), { dryRun, settledMs });
  return tally.counts;
}
