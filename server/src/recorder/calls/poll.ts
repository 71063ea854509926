import { asTaskSid, CustodyError, errorCode } from '@flex-custody/core';
import { createLiveCalls, type LiveCall, type LiveCalls } from '../../catalog/live-calls.ts';
import type { RecorderDeps } from '../deps.ts';
import { endCall, readLegs } from './look.ts';
import { watch } from './watch.ts';

/** Conferences that are read at the same time. */
const atOnce = 8;
/** The host reads a call without a customer again for so long; later only a report makes it read the call. */
const settlingMs = 5 * 60_000;
/** As long as TaskRouter keeps the event of a task's creation. */
const keptDays = 30;

/**
 * Compares all live calls with their recordings. It sends Twilio one request, for the list of live conferences, and while
 * a call is not recorded yet a second one, for the newest recordings. A call that was not read yet costs further
 * requests.
 * @throws CustodyError as TwilioApi does; the error of one call is thrown after the others are done
 */
export async function pollCalls(deps: RecorderDeps, now: number = Date.now()): Promise<void> {
  const calls = createLiveCalls(deps.db, deps.accountSid);
  const listed = await deps.twilio.liveConferencesAll();
  await calls.note(
    listed.map(({ sid, friendlyName, createdAt }) => {
      const taskSid = asTaskSid(friendlyName);
      return { sid, createdAt, ...(taskSid && { taskSid }) };
    }),
  );
  const isLive = new Set(listed.map(({ sid }) => sid));
  const open = await calls.open();
  const over = open.filter(({ conferenceSid }) => !isLive.has(conferenceSid));
  const faults = await each(deps, over, (call) => endCall(deps, calls, call));
  const unread = open.filter((call) => isLive.has(call.conferenceSid) && needsReading(call, now));
  faults.push(...(await each(deps, unread, (call) => readLegs(deps, calls, call))));
  await watch(deps, calls, await liveOnes(calls, isLive), now);
  await calls.forget(keptDays);
  // Thrown last, so that the other calls are read and watched first.
  if (faults.length > 0) throw faults[0];
}

const liveOnes = async (calls: LiveCalls, isLive: ReadonlySet<string>): Promise<LiveCall[]> =>
  (await calls.open()).filter(({ conferenceSid }) => isLive.has(conferenceSid));

function needsReading({ customerCallSid, agentAt, readAt, firstSeenAt }: LiveCall, now: number): boolean {
  if (!readAt) return true;
  return (!customerCallSid || !agentAt) && now - firstSeenAt.getTime() < settlingMs;
}

/**
 * Runs `work` for each call. A call that cannot be read does not keep the others from being watched; after an outage the
 * next minute reads it.
 * @returns the errors that are not retryable
 */
async function each(
  { log }: RecorderDeps,
  calls: readonly LiveCall[],
  work: (call: LiveCall) => Promise<unknown>,
): Promise<unknown[]> {
  const faults: unknown[] = [];
  for (let at = 0; at < calls.length; at += atOnce) {
    await Promise.all(
      calls.slice(at, at + atOnce).map(async (call) => {
        try {
          await work(call);
        } catch (error) {
          const { conferenceSid } = call;
          log.warn({ conference: conferenceSid, code: errorCode(error) }, 'a live call could not be read');
          if (!(error instanceof CustodyError && error.retryable)) faults.push(error);
        }
      }),
    );
  }
  return faults;
}
