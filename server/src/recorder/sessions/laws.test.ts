import fc from 'fast-check';
import type { AgentEvent } from '../../events/agent-event.ts';
import type { Contact } from './contact.ts';
import { contactsOf } from './contacts-of.ts';
import { linkKeys } from './facts/fact-of.ts';
import { stories } from './testing/stories.ts';
import { Story, type StoryAgent } from './testing/story.ts';

const sources = ['status', 'api', 'report'] as const;

/** What one agent's part of a random call is made of; times in seconds. */
interface Part {
  queues: number;
  queueSeconds: number;
  rejections: number;
  holds: { sources: readonly (typeof sources)[number][]; seconds: number }[];
  next: 'warm' | 'cold' | 're-queue';
}

const part: fc.Arbitrary<Part> = fc.record({
  queues: fc.integer({ min: 1, max: 3 }),
  queueSeconds: fc.integer({ min: 1, max: 90 }),
  rejections: fc.integer({ min: 0, max: 2 }),
  holds: fc.array(
    fc.record({
      sources: fc.subarray([...sources], { minLength: 1 }),
      seconds: fc.integer({ min: 1, max: 4_000 }),
    }),
    { maxLength: 3 },
  ),
  next: fc.constantFrom('warm', 'cold', 're-queue'),
});

/** A random call, with what its contact must say. */
function callOf(parts: readonly Part[], seed: number) {
  const story = new Story(seed);
  const task = story.inboundCall('Q0');
  const waits: number[] = [];
  const holds: number[] = [];
  let leaving: StoryAgent | undefined;
  parts.forEach(({ queues, queueSeconds, rejections, holds: ownHolds, next }, index) => {
    const since = story.now;
    for (let queue = 1; queue < queues; queue += 1) {
      story.wait(queueSeconds);
      task.enter(`Q${index}.${queue}`);
    }
    for (let count = 0; count < rejections; count += 1) {
      story.wait(queueSeconds);
      task.offer('anna').reject();
    }
    story.wait(queueSeconds);
    const agent = task.offer(`agent${index}`).accept();
    waits.push((story.now - since) / 1000);
    leaving?.wrapUp('assigned').complete();
    leaving = undefined;
    for (const { sources: own, seconds } of ownHolds) {
      story.wait(8);
      agent.hold(true, own);
      story.wait(seconds);
      agent.unhold(own);
      holds.push(seconds + 0.5);
    }
    story.wait(10);
    if (index === parts.length - 1) {
      task.hangUp();
      agent.wrapUp().complete();
      task.complete();
    } else if (next === 're-queue') {
      agent.wrapUp('pending').complete();
      task.requeue(`Q${index + 1}`);
    } else {
      agent.transfer(next === 'cold' ? 'COLD' : 'WARM', `Q${index + 1}`);
      if (next === 'cold') agent.wrapUp('reserved').complete();
      else leaving = agent;
    }
  });
  return { story, waits, holds };
}

const calls = fc.array(part, { minLength: 1, maxLength: 4 });
const names = Object.keys(stories);
const scenes = fc
  .uniqueArray(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 4 })
  .chain((seeds) =>
    fc.tuple(
      ...seeds.map((seed) => fc.constantFrom(...names).map((name) => stories[name]!(seed).story.events)),
    ),
  );

/** Some events twice, all in another order. */
const disorder = (events: readonly AgentEvent[]): fc.Arbitrary<AgentEvent[]> =>
  fc.subarray([...events]).chain((twice) =>
    fc.shuffledSubarray([...events, ...structuredClone(twice)], {
      minLength: events.length + twice.length,
    }),
  );

const ends = ({ openedAt, closedAt, interactions }: Contact) => ({
  openedAt,
  closedAt,
  interactions: interactions.map(({ offeredAt, acceptedAt, endedAt, endReason, wait, employee, via }) => ({
    offeredAt,
    acceptedAt,
    endedAt,
    endReason,
    wait,
    employee,
    via,
  })),
});

const options = { employeeOf: (sid: string, at: number) => ({ id: `${sid}@${at}` }) };

test('order and repetition change nothing', () => {
  fc.assert(
    fc.property(
      scenes.chain((own) => fc.tuple(fc.constant(own.flat()), disorder(own.flat()))),
      ([events, disordered]) => {
        expect(contactsOf(disordered, options)).toEqual(contactsOf(events, options));
      },
    ),
    { numRuns: 60 },
  );
});

test('nor do they in random calls, whose waits and holds are right', () => {
  fc.assert(
    fc.property(
      calls
        .map((parts) => callOf(parts, 5))
        .chain((call) => fc.tuple(fc.constant(call), disorder(call.story.events))),
      ([{ waits, holds }, disordered]) => {
        const [contact, ...others] = contactsOf(disordered);
        expect(others).toEqual([]);
        const accepted = contact!.interactions.filter(({ acceptedAt }) => acceptedAt !== undefined);
        expect(accepted.map(({ wait }) => wait)).toEqual(waits);
        expect(contact!.holds.map(({ startedAt, endedAt }) => (endedAt! - startedAt) / 1000)).toEqual(holds);
        expect(contact!.closedAt).toBe(accepted.at(-1)?.endedAt);
        expect(contact!.marks).toEqual([]);
      },
    ),
    { numRuns: 60 },
  );
});

test('without the events of voice, starts, ends, waits and employees are the same', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        scenes.map((own) => own.flat()),
        calls.map((parts) => callOf(parts, 5).story.events),
      ),
      (events) => {
        const routed = events.filter(({ type }) => !type.startsWith('com.twilio.voice.'));
        expect(contactsOf(routed, options).map(ends)).toEqual(contactsOf(events, options).map(ends));
      },
    ),
    { numRuns: 50 },
  );
});

test("other contacts' events change nothing, though they share workers and queues", () => {
  fc.assert(
    fc.property(scenes, (own) => {
      const alone = own.flatMap((events) => contactsOf(events, options));
      const together = contactsOf(own.flat(), options);
      expect(together).toHaveLength(alone.length);
      expect(together).toEqual(expect.arrayContaining(alone));
    }),
    { numRuns: 50 },
  );
});

test('events that are added one by one to the contacts whose keys they have give the same contacts', () => {
  fc.assert(
    fc.property(
      scenes.chain((own) => fc.tuple(fc.constant(own.flat()), disorder(own.flat()))),
      ([events, disordered]) => {
        const stored = new Map<string, Set<AgentEvent>>();
        for (const event of disordered) {
          const keys = linkKeys(event);
          const touched = [...new Set(keys.flatMap((key) => stored.get(key) ?? []))];
          const merged = new Set([event, ...touched.flatMap((set) => [...set])]);
          for (const one of merged) for (const key of linkKeys(one)) stored.set(key, merged);
        }
        const contacts = [...new Set(stored.values())].flatMap((set) => contactsOf(set, options));
        expect(contacts).toHaveLength(contactsOf(events, options).length);
        expect(contactsOf(events, options)).toEqual(expect.arrayContaining(contacts));
      },
    ),
    { numRuns: 60 },
  );
});

test('whatever an event holds, it is read without a failure', () => {
  const types = [...new Set(names.flatMap((name) => stories[name]!(1).story.events.map(({ type }) => type)))];
  const value = fc.oneof(
    fc.json(),
    fc.anything({ maxDepth: 2 }),
    fc.constantFrom(null, '', 'null', '{}', '[]', '"{}"', 'a=b', '{"a":'),
  );
  const data = fc.dictionary(
    fc.constantFrom('payload', 'request', 'parameters', 'task_sid', 'participants', 'kind', 'Attributes'),
    fc.oneof(
      value,
      fc.dictionary(
        fc.constantFrom('task_sid', 'task_attributes', 'parameters', 'Timestamp', 'SequenceNumber'),
        value,
      ),
    ),
  );
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          id: fc.string(),
          type: fc.constantFrom(...types),
          time: fc.date({ noInvalidDate: true }),
          data,
        }),
      ),
      (events) => {
        expect(Array.isArray(contactsOf(events as AgentEvent[]))).toBe(true);
      },
    ),
    { numRuns: 200 },
  );
});
