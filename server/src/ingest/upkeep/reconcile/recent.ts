import { asRecordingSid, type RecordingSid } from '@flex-custody/core';
import type { TwilioRecording } from '@flex-custody/twilio';
import type { Run } from '../../../runs/runs.ts';
import type { IngestDeps } from '../../deps.ts';
import { createTally, type Tally } from './tally.ts';
import {
  settledMs,
  type TakingIn,
  type TwilioPassDeps,
  takeIn,
  twilioPass,
  withRetries,
} from './twilio-pass.ts';

const minute = 60_000;
const hour = 60 * minute;
/** Each run repeats so much of the one before, because a recording may appear in Twilio's list some time after its creation. */
export const rescanMs = 2 * hour;
/** The list is filtered by the creation of a recording, which may differ from its start. */
const marginMs = 10 * minute;
/** A call at Twilio lasts a day at most, so a recording that is unfinished after three days stays unfinished. */
const forgetMs = 72 * hour;
/** Most unfinished recordings that the mark holds. */
export const mostUnderway = 2_000;
/** Simultaneous requests to Twilio for single recordings. */
const atOnce = 4;
/** Name of the mark: when the last run began, and the unfinished recordings that the next run's list will not contain. */
const lookedBy = 'twilio-looked';

interface Look {
  /** When the run began, by the database's clock. */
  begun: Date;
  since: Date;
  /** Where an earlier process stopped. */
  before: Date | undefined;
  underway: Set<RecordingSid>;
}

/**
 * The scheduled run: registers new recordings in Twilio's list since the last completed run began, and asks for those
 * that were unfinished then. The first run covers the hours of the setting.
 * @throws CustodyError as Twilio and the catalog do
 */
export async function lookAtTwilio(deps: TwilioPassDeps, run: Run): Promise<void> {
  const { catalog, log } = deps;
  const tally = createTally(run);
  const looked = await lastLook(deps);
  const look = lookOf(run.state) ?? (await newLook(deps, looked.at));
  const { begun, since, underway } = look;
  const save = (before: Date | undefined) =>
    run.save(
      { begun, since, ...(before && { before }), underway: [...underway] },
      { ...tally.counts, done: tally.counts['seen'] ?? 0 },
    );
  let forgotten = 0;
  const remember = ({ sid, startedAt }: TwilioRecording) => {
    const age = begun.getTime() - startedAt.getTime();
    // The next run's list has it.
    if (age < rescanMs - marginMs) return;
    if (age < forgetMs && underway.size < mostUnderway) underway.add(sid);
    else forgotten += 1;
  };
  const how = { dryRun: false, settledMs, signal: run.signal };
  await save(look.before);
  await twilioPass(deps, { since }, tally, { ...how, before: look.before, onUnderway: remember }, save);
  const unseen = looked.underway.filter((sid) => !underway.has(sid));
  await askOneByOne(deps, tally, unseen, how, remember);
  if (forgotten > 0)
    log.warn(
      { event: 'reconcile.forgotten', recordings: forgotten },
      'some unfinished recordings are not checked again: they are too many, or too old',
    );
  await catalog.setMark(lookedBy, { at: begun, underway: [...underway] });
  await run.save({ listed: true }, { ...tally.counts, done: tally.counts['seen'] ?? 0 });
}

/**
 * The daily scheduled run: registers recordings that Twilio has listed late, if they were created within the hours of the
 * setting.
 * @throws CustodyError as Twilio and the catalog do
 */
export async function lookBack(deps: TwilioPassDeps, run: Run): Promise<void> {
  const tally = createTally(run);
  const begun = timeOf(run.state?.['begun']) ?? (await deps.catalog.now());
  const since = new Date(begun.getTime() - deps.config.reconcile.hours * hour);
  const before = timeOf(run.state?.['before']);
  const how = { dryRun: false, settledMs, signal: run.signal, before };
  await twilioPass(deps, { since }, tally, how, (oldest) =>
    run.save(
      { begun, ...(oldest && { before: oldest }) },
      { ...tally.counts, done: tally.counts['seen'] ?? 0 },
    ),
  );
  await run.save({ listed: true }, { ...tally.counts, done: tally.counts['seen'] ?? 0 });
}

async function askOneByOne(
  deps: TwilioPassDeps,
  tally: Tally,
  sids: readonly RecordingSid[],
  how: TakingIn & { signal: AbortSignal },
  remember: (facts: TwilioRecording) => void,
): Promise<void> {
  const { catalog, config, twilio } = deps;
  const ask = async (sid: RecordingSid) => {
    const known = await catalog.find(sid);
    // Most callbacks arrive, so the host asks Twilio only for the others.
    const facts = known ? undefined : await withRetries(() => twilio.recording(sid), how.signal);
    if (facts?.accountSid !== config.accountSid) return;
    if ((await takeIn(deps, tally, facts, undefined, how)) === 'underway') remember(facts);
  };
  for (let at = 0; at < sids.length; at += atOnce) await Promise.all(sids.slice(at, at + atOnce).map(ask));
}

async function newLook(
  { catalog, config }: Pick<IngestDeps, 'catalog' | 'config'>,
  last: Date | undefined,
): Promise<Look> {
  const begun = await catalog.now();
  // Never from a future time: a clock may have been wrong.
  const since = last
    ? Math.min(last.getTime(), begun.getTime()) - rescanMs
    : begun.getTime() - config.reconcile.hours * hour;
  return { begun, since: new Date(since), before: undefined, underway: new Set() };
}

async function lastLook({ catalog }: Pick<IngestDeps, 'catalog'>) {
  const mark = await catalog.mark(lookedBy);
  return { at: timeOf(mark?.['at']), underway: sidsOf(mark?.['underway']) };
}

/** The run that an earlier process began. */
function lookOf(state: Run['state']): Look | undefined {
  const [begun, since] = [timeOf(state?.['begun']), timeOf(state?.['since'])];
  if (!begun || !since) return undefined;
  return { begun, since, before: timeOf(state?.['before']), underway: new Set(sidsOf(state?.['underway'])) };
}

function timeOf(value: unknown): Date | undefined {
  const at = new Date(typeof value === 'string' ? value : Number.NaN);
  return Number.isNaN(at.getTime()) ? undefined : at;
}

const sidsOf = (value: unknown): RecordingSid[] =>
  Array.isArray(value) ? value.flatMap((one) => asRecordingSid(one) ?? []) : [];
