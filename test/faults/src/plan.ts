import type { Fault, FaultKind, FaultTarget } from '../../../sandbox/src/faults.ts';
import { type Random, random } from './random.ts';

/** What no retry can mend, and so must end as a dead letter, or as absent, with this very reason. */
export const fates = {
  missing: { state: 'failed', reason: 'media_missing' },
  html: { state: 'failed', reason: 'media_not_audio' },
  empty: { state: 'failed', reason: 'media_empty' },
  short: { state: 'failed', reason: 'media_short' },
  deleted: { state: 'failed', reason: 'source_deleted' },
  'too short': { state: 'absent', reason: '16101' },
  silent: { state: 'absent', reason: '16102' },
} as const;
export type Fate = keyof typeof fates;

/** How a recording's callback arrives. `steered`: signed by Twilio, but a browser has written another call's task into it. */
export const deliveries = ['once', 'twice', 'late', 'lost', 'out of order', 'steered'] as const;
export type DeliveryWay = (typeof deliveries)[number];

/**
 * What somebody who holds all that the Functions hold, or an agent's browser, says of a recording that is not so.
 * `forged sidecar` is played at the end, when nobody writes a later one over it.
 */
export const lies = [
  'forged sound',
  'forged text',
  'wrong digest',
  'wrong hints',
  'rewritten task',
  'forged sidecar',
] as const;
export type Lie = (typeof lies)[number];

export interface PlannedCall {
  /** Ms from the beginning. */
  at: number;
  seconds: number;
  channels: 1 | 2;
  direction: 'inbound' | 'outbound';
  delivery: DeliveryWay;
  /** Ms by which `late`, and the second of two, come later. */
  delay: number;
  /** Sealed by Twilio. */
  encrypted: boolean;
  fate?: Fate;
  lie?: Lie;
}

export interface PlannedFault {
  at: number;
  fault: Fault;
}

export const victims = ['host', 'worker', 'functions'] as const;
/** The plan of agents' events names the recorder. */
export type Victim = (typeof victims)[number] | 'recorder';

export interface Plan {
  seed: number;
  /** Ms until the last of it has begun. */
  length: number;
  calls: readonly PlannedCall[];
  faults: readonly PlannedFault[];
  kills: readonly { at: number; victim: Victim }[];
  /** When the database is restarted, abruptly. */
  restarts: readonly number[];
  /** When somebody sends a callback that Twilio did not sign. */
  forgeries: readonly number[];
}

export interface PlanOptions {
  seed: number;
  count: number;
  kills: number;
  /** Longest recording, seconds. */
  longest: number;
}

/** So many calls have each fate, each way and each lie once. */
export const leastForAll = 1 + Object.keys(fates).length + deliveries.length + lies.length;

const msForEach = 900;
const leastMs = 20_000;
/** A process that was killed is up again after some seconds: between two kills it shall get to work too. */
const msForKill = 9_000;

/** The same for the same options: what happens, and when. How far anybody has come by then is the machine's affair. */
export function plan({ seed, count, kills, longest }: PlanOptions): Plan {
  const dice = random(seed);
  const length = Math.max(leastMs, count * msForEach, kills * msForKill);
  const times = (number: number, until = 1) =>
    Array.from({ length: number }, () => Math.round(dice.next() * length * until)).sort((a, b) => a - b);
  return {
    seed,
    length,
    // The last tenth is for what comes late.
    calls: times(count, 0.9).map((at, index) => call(dice, at, index, longest)),
    faults: times(Math.ceil(count * 1.5)).map((at) => ({ at, fault: fault(dice) })),
    kills: Array.from({ length: kills }, (_, index) => ({
      at: Math.round(((index + dice.next()) * length) / kills),
      victim: dice.pick(victims),
    })),
    restarts: times(Math.max(1, Math.round(kills / 10))),
    forgeries: times(Math.max(3, Math.round(count / 20))),
  };
}

function call(dice: Random, at: number, index: number, longest: number): PlannedCall {
  const fateNames = Object.keys(fates) as Fate[];
  // Each fate and each way once, however few there are; then by chance.
  const isFirst = index < leastForAll;
  const fate = fateNames[index - 1] ?? (!isFirst && dice.chance(0.08) ? dice.pick(fateNames) : undefined);
  const healthy =
    deliveries[index - fateNames.length - 1] ??
    (isFirst || dice.chance(0.5) ? 'once' : dice.pick(deliveries));
  // Each lie once as well, and now and then.
  const firstLie = 1 + fateNames.length + deliveries.length;
  const mayLie = fate === undefined && healthy === 'once';
  const lie = mayLie
    ? (lies[index - firstLie] ?? (dice.chance(0.15) ? dice.pick(lies) : undefined))
    : undefined;
  return {
    at,
    seconds: Math.round(dice.spread(1, longest)),
    channels: dice.chance(0.8) ? 2 : 1,
    direction: dice.chance(0.7) ? 'inbound' : 'outbound',
    delivery: fate === undefined ? healthy : 'once',
    delay: dice.whole(500, 8_000),
    // How a sealed one is bad only its tag could tell; and nobody gets a lease on it.
    encrypted: index % 6 === 4 && fate === undefined && lie === undefined,
    ...(fate && { fate }),
    ...(lie && { lie }),
  };
}

const kinds: Readonly<Partial<Record<FaultTarget, readonly [FaultKind, readonly (number | undefined)[]][]>>> =
  {
    media: [
      ['status', [401, 404, 429, 500, 503]],
      ['cut', [undefined]],
      ['stall', [undefined]],
      ['slow', [300_000]],
      ['html', [undefined]],
      ['short', [undefined]],
      ['empty', [undefined]],
    ],
    api: [
      ['status', [429, 500, 503]],
      ['cut', [undefined]],
      ['slow', [2_000]],
      ['stall', [undefined]],
    ],
    taskrouter: [
      ['status', [412, 429, 500, 503]],
      ['cut', [undefined]],
      ['slow', [2_000]],
    ],
    s3: [
      ['status', [500, 503]],
      ['cut', [undefined]],
      ['slow', [1_500]],
    ],
    iam: [['status', [503]]],
    webhooks: [['status', [500]]],
  };
/** The media and the bucket are met by every recording, again and again. */
const targets: readonly FaultTarget[] = [
  'media',
  'media',
  'media',
  's3',
  's3',
  's3',
  'api',
  'taskrouter',
  'iam',
  'webhooks',
];

function fault(dice: Random): Fault {
  const target = dice.pick(targets);
  const [kind, values] = dice.pick(kinds[target] ?? []);
  const value = dice.pick(values);
  return {
    target,
    kind,
    times: dice.whole(1, 3),
    ...(value !== undefined && { value }),
    // Only a write has a condition that can fail.
    ...(value === 412 && { match: 'POST /v1' }),
  };
}

/** What stands in the way of one recording for ever. Undefined where the recording itself, at Twilio, is the fate. */
export function lastingFault(fate: Fate, recording: string): Fault | undefined {
  const of = { target: 'media', times: 0, match: recording } as const;
  switch (fate) {
    case 'missing':
      return { ...of, kind: 'status', value: 404 };
    case 'html':
    case 'empty':
    case 'short':
      return { ...of, kind: fate };
    default:
      return undefined;
  }
}
