import { asTaskSid, type CallSid, type ConferenceSid, type TaskSid } from '@flex-custody/core';
import type { TwilioCallFacts } from '@flex-custody/twilio';
import { createLiveCalls, type LiveCall, type LiveCalls } from '../../catalog/live-calls.ts';
import type { RecorderDeps } from '../deps.ts';
import { recorderJobs } from '../jobs.ts';
import { readingOf } from './parties.ts';

/** The host reads the legs of one conference no more often than this, however many looks are requested. */
const lookEveryMs = 10_000;

/**
 * Looks at a live call that a report names. The report counts only as the place to look at.
 * @throws CustodyError as TwilioApi does
 */
export async function lookAtCall(
  deps: RecorderDeps,
  { taskSid, conferenceSid }: { taskSid: TaskSid; conferenceSid?: ConferenceSid },
): Promise<void> {
  const calls = createLiveCalls(deps.db, deps.accountSid);
  const sids = conferenceSid ? [conferenceSid] : await deps.twilio.liveConferences(taskSid);
  for (const sid of sids) {
    let call = await calls.find(sid);
    if (!call) {
      const conference = await deps.twilio.conference(sid);
      if (!conference) continue;
      const named = asTaskSid(conference.friendlyName);
      await calls.note([{ sid, createdAt: new Date(), ...(named && { taskSid: named }) }]);
      call = await calls.find(sid);
    }
    if (call) await readLegs(deps, calls, call);
  }
}

/** Reads the legs that are not known yet, unless another look has just read them. */
export async function readLegs(
  deps: RecorderDeps,
  calls: LiveCalls,
  call: LiveCall,
  everyMs = lookEveryMs,
): Promise<LiveCall> {
  const { twilio, callerDigest } = deps;
  const sid = call.conferenceSid;
  if (!(await calls.mayRead(sid, everyMs))) return call;
  const legs = await twilio.participants(sid);
  const found = await callsOf(
    deps,
    legs.filter((leg) => !call.legs.includes(leg)),
  );
  const now = (await calls.read(sid, readingOf(found, callerDigest))) ?? call;
  if (now.direction !== call.direction) await askForFacts(deps, now);
  return now;
}

/** The calls of these legs, without legs that Twilio does not know. */
export async function callsOf(
  { twilio }: RecorderDeps,
  legs: readonly CallSid[],
): Promise<TwilioCallFacts[]> {
  return (await Promise.all(legs.map((leg) => twilio.callFacts(leg)))).flatMap((call) => call ?? []);
}

/** Ends a call that is no longer in Twilio's list of live ones: its facts are final. */
export async function endCall(deps: RecorderDeps, calls: LiveCalls, call: LiveCall): Promise<void> {
  // Twilio may still list the legs of a conference that has ended.
  if (!call.customerCallSid) await readLegs(deps, calls, call, 0);
  const ended = await calls.ended(call.conferenceSid);
  if (ended && ended.direction !== call.direction) await askForFacts(deps, ended);
}

/** Asks for the facts of recordings that were linked before the call's direction or caller was known. */
async function askForFacts({ catalog, queue }: RecorderDeps, call: LiveCall): Promise<void> {
  const rows = await catalog.withoutCaller(call);
  for (const { recordingSid } of rows) await queue.send(recorderJobs.facts, { recordingSid });
}
