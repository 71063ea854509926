import { asCallSid, jsonFields, type RecordingSid } from '@flex-custody/core';
import type { TwilioCallFacts } from '@flex-custody/twilio';
import { createLiveCalls, type Parties } from '../../catalog/live-calls.ts';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import { callerOf, isBy } from '../../retention/caller.ts';
import type { RecorderDeps } from '../deps.ts';
import { callsOf } from './look.ts';
import { readingOf, together } from './parties.ts';

/** Twilio states whole seconds. */
const slackMs = 5_000;

/**
 * Finds the direction and the caller of a recording's call, if unknown: from what the host saw while the call was live,
 * from the legs that Twilio still lists, and for an inbound call from the creation of its task. Task attributes do not
 * count.
 * @throws CustodyError as TwilioApi does; then the facts may be found later
 */
export async function findFacts(deps: RecorderDeps, sid: RecordingSid): Promise<void> {
  const { alarms, catalog } = deps;
  const row = await catalog.find(sid);
  if (!row || row.state === 'erased' || isKnown(deps, row)) return;
  const parties = await partiesOf(deps, row);
  if (parties && (await catalog.calledBy(sid, parties)) === 'verified') await deps.describe(sid);
  await alarms.resolve(['facts_failed'], sid);
}

/**
 * Does the same while the recording is being linked, so that no job is needed.
 * @returns undefined if a later look may find more
 */
export async function factsAtOnce(deps: RecorderDeps, row: RecordingRow): Promise<Parties | undefined> {
  const parties = await partiesOf(deps, row);
  return parties && isKnown(deps, { ...row, ...parties, unproven: [] }) ? parties : undefined;
}

function isKnown(
  { callerDigest }: RecorderDeps,
  row: Pick<RecordingRow, 'caller' | 'direction' | 'unproven'>,
): boolean {
  if (row.unproven.includes('direction') || row.unproven.includes('caller')) return false;
  if (row.direction === undefined) return false;
  if (callerDigest === undefined || row.direction === 'internal') return true;
  return row.caller !== undefined && isBy(callerDigest, row.caller);
}

async function partiesOf(deps: RecorderDeps, row: RecordingRow): Promise<Parties | undefined> {
  const seen = (await asSeenLive(deps, row)) ?? (await asListed(deps, row));
  // The host may have seen the call after the customer had left, with only workers in it.
  if (seen?.direction && seen.direction !== 'internal') return seen;
  const made = await asMade(deps, row);
  return made ? { ...made, others: [...made.others, ...(seen?.others ?? [])] } : seen;
}

async function asSeenLive(deps: RecorderDeps, row: RecordingRow): Promise<Parties | undefined> {
  const { taskSid, ...rest } = row;
  const proven = taskSid && !row.unproven.includes('owner') ? { taskSid } : {};
  const calls = await createLiveCalls(deps.db, deps.accountSid).ofRecording({ ...rest, ...proven });
  const seen = together(calls);
  return seen?.direction ? seen : undefined;
}

/** From the legs of its conference, if Twilio still lists them, or from the recorded call. */
async function asListed(deps: RecorderDeps, row: RecordingRow): Promise<Parties | undefined> {
  if (isWorkersLeg(row)) return undefined;
  const legs = row.conferenceSid
    ? await deps.twilio.participants(row.conferenceSid)
    : row.callSid
      ? [row.callSid]
      : [];
  const calls = await callsOf(deps, legs);
  return calls.length > 0 ? readingOf(calls, deps.callerDigest) : undefined;
}

/**
 * The link has proven that the recorded call was dialled to the worker: it has no outside number, so the host does not
 * ask for it again.
 */
function isWorkersLeg({ conferenceSid, unproven, workerSid }: RecordingRow): boolean {
  return conferenceSid === undefined && workerSid !== undefined && !unproven.includes('owner');
}

/** From the task's creation, which no worker can write. The agent's browser creates an outbound task, which proves nothing. */
async function asMade(deps: RecorderDeps, row: RecordingRow): Promise<Parties | undefined> {
  const { twilio, callerDigest } = deps;
  if (!row.taskSid || row.unproven.includes('owner') || row.unproven.includes('start')) return undefined;
  const made = await twilio.taskCreated(row.taskSid);
  if (!made || made.byWorker || made.createdAt.getTime() > endOf(row) + slackMs) return undefined;
  const attributes = jsonFields(made.attributes);
  if (typeof attributes['call_sid'] === 'string') {
    const callSid = asCallSid(attributes['call_sid']);
    const call = callSid && (await twilio.callFacts(callSid));
    if (call?.direction !== 'inbound' || !overlaps(call, row)) return undefined;
    const caller = callerOf(callerDigest, call.from);
    return {
      direction: 'inbound',
      customerCallSid: call.sid,
      ...(caller !== undefined && { caller }),
      others: [],
    };
  }
  if (attributes['direction'] !== 'inbound') return undefined;
  const number = [attributes['from'], attributes['caller']].find((value) => typeof value === 'string');
  const caller = typeof number === 'string' ? callerOf(callerDigest, number) : undefined;
  return { direction: 'inbound', ...(caller !== undefined && { caller }), others: [] };
}

const endOf = ({ startedAt, durationSeconds = 0 }: RecordingRow): number =>
  startedAt.getTime() + durationSeconds * 1_000;

/** A worker can name another of their own tasks, but cannot change the time of that task's call. */
function overlaps({ startedAt, endedAt }: TwilioCallFacts, row: RecordingRow): boolean {
  if (!startedAt || startedAt.getTime() > endOf(row) + slackMs) return false;
  return !endedAt || endedAt.getTime() >= row.startedAt.getTime() - slackMs;
}
