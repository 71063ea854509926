import { type StoryName, stories } from '../../../sandbox/src/agent-events/stories.ts';
import { type KinesisTrouble, kinesisTroubles } from './kinesis-way.ts';
import type { PlanOptions } from './plan.ts';
import { random } from './random.ts';

export interface PlannedStory {
  at: number;
  story: StoryName;
  waitSeconds: number;
  talkSeconds: number;
  holdSeconds: number;
  /** When its call ends, in ms from the beginning; absent where it has ended before its events are sent. */
  endsAt?: number;
}

export interface EventPlan {
  /** Of what is lost, doubled and shuffled on the way. */
  seed: number;
  stories: readonly PlannedStory[];
  troubles: readonly { at: number; trouble: KinesisTrouble; times: number }[];
  shards: readonly { at: number; change: 'split' | 'merge' }[];
  /** How long Event Streams holds events back from then on. */
  delays: readonly { at: number; delayMs: number }[];
  kills: readonly number[];
  /** When a process that reads the stream is suspended for longer than its leases last. */
  suspensions: readonly number[];
  /** When somebody else than Twilio sends events. */
  forgeries: readonly number[];
  /** When a record comes that is no event. */
  broken: readonly number[];
}

/** What goes wrong with agents' events; the same for the same seed, and without a change of the rest of the plan. */
export function planEvents({ seed, count, kills }: PlanOptions, length: number): EventPlan {
  const dice = random(seed ^ 0xe7e7);
  const times = (number: number, from = 0, until = 1) =>
    Array.from({ length: number }, () => Math.round((from + dice.next() * (until - from)) * length)).sort(
      (a, b) => a - b,
    );
  const told = times(Math.max(stories.length, count), 0, 0.7).map((at, index) => ({
    at,
    story: stories[index] ?? dice.pick(stories),
    waitSeconds: dice.whole(0, 120),
    talkSeconds: dice.whole(1, 600),
    holdSeconds: dice.whole(1, 300),
  }));
  const shorter = { waitSeconds: 10, talkSeconds: 60 };
  return {
    seed,
    stories: [
      ...told,
      // Longer than the policies allow, and open when their alarms are raised.
      { at: 0, story: 'hold', ...shorter, holdSeconds: 40 * 60, endsAt: 0.7 * length },
      {
        at: 0,
        story: 'answered',
        waitSeconds: 10,
        talkSeconds: 3 * 3_600,
        holdSeconds: 0,
        endsAt: 0.7 * length,
      },
    ],
    troubles: times(Math.max(2 * kinesisTroubles.length, count)).map((at, index) => ({
      at,
      trouble: kinesisTroubles[index % kinesisTroubles.length] ?? dice.pick(kinesisTroubles),
      times: dice.whole(1, 3),
    })),
    shards: [
      { at: 0.25 * length, change: 'split' },
      { at: 0.5 * length, change: 'merge' },
    ],
    delays: times(4).map((at) => ({ at, delayMs: dice.whole(0, 3_000) })),
    kills: times(Math.max(1, Math.ceil(kills / 5))),
    suspensions: times(1, 0.1, 0.6),
    forgeries: times(3),
    broken: times(5),
  };
}
