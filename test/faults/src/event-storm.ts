import { randomUUID } from 'node:crypto';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks';
import { tellStory } from '../../../sandbox/src/agent-events/stories.ts';
import { everyone } from '../../../sandbox/src/live/parameters.ts';
import type { Task } from '../../../sandbox/src/world.ts';
import type { EventPlan, PlannedStory } from './event-plan.ts';
import type { Stage } from './stage.ts';

export interface Step {
  /** Ms from the beginning. */
  at: number;
  act: () => unknown;
}

export interface EventStorm {
  /** What happens whatever else is being done. */
  agenda: readonly Step[];
  /** What happens one after another. */
  violence: readonly Step[];
  counts: EventCounts;
  /** Records that are no events, as they were put into the stream. */
  broken: readonly string[];
  /** Nothing is lost any more. What disturbs Kinesis ends by itself: each trouble meets a few requests. */
  calm(): void;
}

export interface EventCounts {
  stories: number;
  recorderKills: number;
  suspensions: number;
  shardChanges: number;
  forgedEvents: number;
  forgedEventsAccepted: number;
}

/** Leases last for 10 seconds without a beat. */
const suspendedMs = 12_000;
const misbehaviour = { loseOneIn: 12, duplicateOneIn: 8, shuffle: true, batch: 7 };

/** Agents' events while their ways are disturbed, their readers are killed, and their stream is re-sharded. */
export function eventStorm(stage: Stage, plan: EventPlan): EventStorm {
  const { events, sandbox } = stage;
  const { world, exchange, eventStreams } = sandbox.twilio;
  const counts: EventCounts = {
    ...{ stories: 0, recorderKills: 0, suspensions: 0, shardChanges: 0 },
    ...{ forgedEvents: 0, forgedEventsAccepted: 0 },
  };
  const broken: string[] = [];
  eventStreams.misbehave({ ...misbehaviour, seed: plan.seed });

  const lasting = new Map<PlannedStory, Task>();
  const begin = (planned: PlannedStory) => {
    const open = planned.endsAt !== undefined;
    const task = tellStory({ world, exchange }, { ...planned, open, queue: everyone });
    counts.stories += 1;
    if (open) lasting.set(planned, task);
  };
  const end = (planned: PlannedStory) => {
    const task = lasting.get(planned);
    if (!task) return;
    const customer = exchange.customerOf(task.sid);
    if (customer) exchange.change(customer.sid, { hold: false });
    exchange.customerHangUp(task);
    for (const one of world.reservations.values())
      if (one.taskSid === task.sid && one.status === 'wrapping') exchange.complete(one);
  };
  const forge = async () => {
    const url = `${stage.urls.host}/events`;
    const body = JSON.stringify([
      {
        ...{ specversion: '1.0', id: randomUUID(), type: 'com.twilio.taskrouter.reservation.accepted' },
        ...{ time: new Date().toISOString(), data: { payload: { reservation_sid: `WR${'f'.repeat(32)}` } } },
      },
    ]);
    for (const signature of [
      undefined,
      'bm90IHR3aWxpbw==',
      getExpectedTwilioSignature('0'.repeat(32), url, {}),
    ]) {
      counts.forgedEvents += 1;
      const headers = {
        'content-type': 'application/json',
        ...(signature && { 'x-twilio-signature': signature }),
      };
      const reply = await fetch(url, { method: 'POST', headers, body }).catch(() => undefined);
      if (reply && reply.status < 500) counts.forgedEventsAccepted += 1;
    }
  };
  const breakIn = (at: number) => {
    const record = `no event ${at}`;
    broken.push(record);
    return events.stream.put([record]);
  };
  const kill = async () => {
    if ((await stage.kill('recorder')) || (await stage.kill('host'))) counts.recorderKills += 1;
  };
  // The one process of the embedded database has no other that could take its leases.
  const suspend = async () => {
    if (await stage.suspend('recorder', suspendedMs)) counts.suspensions += 1;
  };
  const reshard = async (change: 'split' | 'merge') => {
    await events.stream[change]();
    counts.shardChanges += 1;
  };
  return {
    agenda: [
      ...plan.stories.map((planned) => ({ at: planned.at, act: () => begin(planned) })),
      ...plan.stories.flatMap((planned) =>
        planned.endsAt === undefined ? [] : [{ at: planned.endsAt, act: () => end(planned) }],
      ),
      ...plan.troubles.map(({ at, trouble, times }) => ({
        at,
        act: () => events.way.disturb(trouble, times),
      })),
      ...plan.delays.map(({ at, delayMs }) => ({ at, act: () => eventStreams.misbehave({ delayMs }) })),
      ...plan.forgeries.map((at) => ({ at, act: forge })),
      ...plan.broken.map((at) => ({ at, act: () => breakIn(at) })),
      ...plan.shards.map(({ at, change }) => ({ at, act: () => reshard(change) })),
    ],
    violence: [
      ...plan.kills.map((at) => ({ at, act: kill })),
      ...plan.suspensions.map((at) => ({ at, act: suspend })),
    ],
    counts,
    broken,
    calm() {
      eventStreams.misbehave({ loseOneIn: 0, duplicateOneIn: 0, delayMs: 0 });
    },
  };
}
