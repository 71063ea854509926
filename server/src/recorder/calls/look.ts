import { asTaskSid, type CallSid, type ConferenceSid, type TaskSid } from '@flex-custody/core';
import type { TwilioCallFacts } from '@flex-custody/twilio';
import { createLiveCalls, type LiveCall, type LiveCalls } from '../../catalog/live-calls.ts';
import type { RecorderParts } from '../parts.ts';
import { readingOf } from './parties.ts';

/** However many ask for a look at one conference, its legs are read no more often than this. */
const lookEveryMs = 10_000;

/**
 * Looks at a live call that somebody says is there. Nothing of what they say counts but where to look.
 * @throws CustodyError as TwilioApi does
 */
export async function lookAtCall(
  parts: RecorderParts,
  { taskSid, conferenceSid }: { taskSid: TaskSid; conferenceSid?: ConferenceSid },
): Promise<void> {
  const calls = createLiveCalls(parts.db, parts.accountSid);
  const sids = conferenceSid ? [conferenceSid] : await parts.twilio.liveConferences(taskSid);
  for (const sid of sids) {
    let call = await calls.find(sid);
    if (!call) {
      const conference = await parts.twilio.conference(sid);
      if (!conference) continue;
      const named = asTaskSid(conference.friendlyName);
      await calls.note([{ sid, createdAt: new Date(), ...(named && { taskSid: named }) }]);
      call = await calls.find(sid);
    }
    if (call) await readLegs(parts, calls, call);
  }
}

/** Reads the legs that are not known yet, unless somebody has looked just now. */
export async function readLegs(
  parts: RecorderParts,
  calls: LiveCalls,
  call: LiveCall,
  everyMs = lookEveryMs,
): Promise<LiveCall> {
  const { twilio, callerDigest } = parts;
  const sid = call.conferenceSid;
  if (!(await calls.mayRead(sid, everyMs))) return call;
  const legs = await twilio.participants(sid);
  const found = await callsOf(
    parts,
    legs.filter((leg) => !call.legs.includes(leg)),
  );
  const now = (await calls.read(sid, readingOf(found, callerDigest))) ?? call;
  if (now.direction !== call.direction) await tellRecordings(parts, now);
  return now;
}

/** Without those that Twilio does not know. */
export async function callsOf(
  { twilio }: RecorderParts,
  legs: readonly CallSid[],
): Promise<TwilioCallFacts[]> {
  return (await Promise.all(legs.map((leg) => twilio.callFacts(leg)))).flatMap((call) => call ?? []);
}

/** The call has left Twilio's list of live ones: what is known of it is final. */
export async function endCall(parts: RecorderParts, calls: LiveCalls, call: LiveCall): Promise<void> {
  // A conference that is over may still list its legs.
  if (!call.customerCallSid) await readLegs(parts, calls, call, 0);
  const ended = await calls.ended(call.conferenceSid);
  if (ended && ended.direction !== call.direction) await tellRecordings(parts, ended);
}

/** Recordings that were linked before it was known whose call they are of. */
async function tellRecordings({ catalog, queue }: RecorderParts, call: LiveCall): Promise<void> {
  const rows = await catalog.withoutCaller(call);
  for (const { recordingSid } of rows) await queue.send('facts', { recordingSid }, { once: recordingSid });
}
