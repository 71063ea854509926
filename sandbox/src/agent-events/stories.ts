import type { Exchange } from '../live/contract.ts';
import { everyone } from '../live/parameters.ts';
import { Refused } from '../refused.ts';
import { newSid } from '../sids.ts';
import type { Reservation, Task, World } from '../world.ts';

export const stories = [
  'answered',
  'hold',
  'abandoned',
  'rejected',
  'cold-transfer',
  'warm-transfer',
  'outbound',
  'chat',
] as const;
export type StoryName = (typeof stories)[number];

export interface StoryOptions {
  story: StoryName;
  /** Seconds that the caller waits, that each agent talks, and that a hold lasts. */
  waitSeconds: number;
  talkSeconds: number;
  holdSeconds: number;
  /** The story ends before the call does: on hold, or while the agent talks. */
  open: boolean;
  queue: string;
}

/** Something that happens, so many seconds after what came before. */
type Step = readonly [seconds: number, happens: () => void];

/**
 * Plays a call that takes as long as it says, at once: it begins in the past and ends now, by the sandbox's clock.
 * @returns its task
 */
export function tellStory(deps: { world: World; exchange: Exchange }, options: StoryOptions): Task {
  const { world, exchange } = deps;
  const [first, second] = [...world.workers.keys()];
  if (first === undefined || second === undefined) throw new Refused('a story needs two workers');
  const cast: { task?: Task } = {};
  const task = (): Task => {
    if (!cast.task) throw new Refused('the story has not begun');
    return cast.task;
  };
  const newest = (status: Reservation['status']): Reservation => {
    const found = [...world.reservations.values()].findLast(
      (one) => one.taskSid === task().sid && one.status === status,
    );
    if (!found) throw new Refused(`the story has no ${status} reservation`);
    return found;
  };
  const hold = (on: boolean) => () => {
    const customer = exchange.customerOf(task().sid);
    if (customer) exchange.change(customer.sid, { hold: on });
  };
  const ring =
    (more: Partial<Parameters<Exchange['ring']>[0]> = {}) =>
    () => {
      const { queue } = options;
      const direction = 'inbound' as const;
      const from = { direction, channel: 'voice' as const, worker: first, queue, attributes: {} };
      cast.task = exchange.ring({ ...from, ...more }).task;
    };
  const accept = () => exchange.accept(newest('pending'), {});
  const { waitSeconds: wait, talkSeconds: talk, holdSeconds: held } = options;
  const begin: Step[] = [
    [0, ring()],
    [wait, accept],
  ];
  const end: Step[] = [
    [talk, () => exchange.customerHangUp(task())],
    [5, completeAll],
  ];
  function completeAll(): void {
    for (const one of world.reservations.values())
      if (one.taskSid === task().sid && one.status === 'wrapping') exchange.complete(one);
  }
  const transfer = (mode: 'COLD' | 'WARM'): Step[] => [
    ...begin,
    [talk, () => exchange.transfer(newest('accepted'), second, mode)],
    [3, accept],
    ...(mode === 'COLD'
      ? [[1, hold(false)] as const]
      : [[talk, () => exchange.hangUp(accepted(first))] as const]),
    ...end,
  ];
  const accepted = (worker: string): Reservation => {
    const found = [...world.reservations.values()].find(
      (one) => one.taskSid === task().sid && one.workerSid === worker && one.status === 'accepted',
    );
    if (!found) throw new Refused('the agent is not on the call');
    return found;
  };
  const scripts: Readonly<Record<StoryName, readonly Step[]>> = {
    answered: [...begin, ...end],
    hold: [...begin, [talk, hold(true)], [held, hold(false)], ...end],
    abandoned: [
      [0, ring()],
      [wait, () => exchange.customerHangUp(task())],
    ],
    rejected: [
      [0, ring()],
      [wait, () => exchange.reject(newest('pending'))],
      [1, () => void exchange.requeue(task(), options.queue === everyone ? 'Second line' : everyone, second)],
      [wait, accept],
      ...end,
    ],
    'cold-transfer': transfer('COLD'),
    'warm-transfer': transfer('WARM'),
    outbound: [
      [0, ring({ direction: 'outbound' })],
      [1, accept],
      [wait, () => exchange.customerAnswers(task())],
      ...end,
    ],
    chat: [
      [0, ring({ channel: 'chat', attributes: { conversationSid: newSid('CH') } })],
      [wait, accept],
      [talk, () => exchange.complete(newest('accepted'))],
    ],
  };
  play(world, scripts[options.story], options);
  return task();
}

function play(
  world: World,
  script: readonly Step[],
  { open, story, holdSeconds, talkSeconds }: StoryOptions,
) {
  // An open story lacks its end, and what it ends in lasts until now.
  const isHeld = story === 'hold';
  const steps = open ? script.slice(0, isHeld ? 3 : Math.max(2, script.length - 2)) : script;
  const tail = open ? (isHeld ? holdSeconds : talkSeconds) : 0;
  const total = steps.reduce((sum, [seconds]) => sum + seconds, tail);
  let at = Date.now() - total * 1_000;
  for (const [seconds, happens] of steps) {
    at += seconds * 1_000;
    world.clock.as(new Date(at), happens);
  }
}
