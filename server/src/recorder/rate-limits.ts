import type { TwilioLimits } from '@flex-custody/twilio';
import type { Marks } from '../catalog/marks.ts';
import { reportedLimits } from './event-streams/noticing.ts';

/**
 * Which of the host's limiters a resource of TaskRouter's limits is for. Twilio documents no list of the keys: a key that
 * names neither is ignored.
 */
const limiters: readonly [limiter: 'searches' | 'taskEvents' | 'taskRouter', key: RegExp][] = [
  ['searches', /evaluate.?task.?attributes|task.*search/i],
  ['taskEvents', /\bevents?\b/i],
  ['taskRouter', /\b(workers|task.?queues)(\.list)?$/i],
];

/** Sets the pace of the host's requests by the limits that TaskRouter reported last. */
export async function followLimits(
  marks: Pick<Marks, 'mark'>,
  limits: Pick<TwilioLimits, (typeof limiters)[number][0]>,
): Promise<void> {
  for (const [key, aSecond] of await reportedLimits(marks))
    for (const [limiter, names] of limiters) if (names.test(key)) limits[limiter](aSecond);
}
