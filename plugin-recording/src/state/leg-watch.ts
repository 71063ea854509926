import type { Call } from './call';

/** Calls back once for each leg of this worker that joins a conference. */
export function legWatch(joined: (call: Call) => void): (calls: readonly Call[]) => void {
  const seen = new Map<string, string>();
  return (calls) => {
    for (const call of calls) {
      if (!call.own || !call.joined) continue;
      const before = seen.get(call.reservationSid);
      const leg = call.leg ?? before ?? '';
      seen.set(call.reservationSid, leg);
      // Flex may learn the leg's SID some moments after it joined: that is no other leg.
      if (before === undefined || (before !== '' && before !== leg)) joined(call);
    }
    for (const sid of seen.keys()) if (!calls.some((call) => call.reservationSid === sid)) seen.delete(sid);
  };
}
