import { readFileSync } from 'node:fs';
import type { CallSid, RecordingSid, ReservationSid, TaskSid, WorkerSid } from '@flex-custody/core';
import fc from 'fast-check';
import { type Contact, type Interaction, type Pause, wasAccepted } from '../sessions/contact.ts';
import { contactsOf } from '../sessions/contacts-of.ts';
import { stories } from '../sessions/testing/stories.ts';
import { ledgerOf, outcomes, type Recorded } from './ledger.ts';
import { type Reason, reasons } from './reasons.ts';

const sid = (letters: string, n: number) => `${letters}${n.toString(16).padStart(32, '0')}`;
const RE = (n: number) => sid('RE', n) as RecordingSid;
const WR = (n: number) => sid('WR', n) as ReservationSid;
const WK = (n: number) => sid('WK', n) as WorkerSid;
const task = sid('WT', 1) as TaskSid;
const call = sid('CA', 1) as CallSid;
const start = Date.UTC(2026, 10, 28, 9);
const at = (seconds: number) => start + seconds * 1_000;

/** Agent `n` from `from` to `to`, in seconds. */
const segment = (n: number, from: number, to: number, more: Partial<Interaction> = {}): Interaction => ({
  reservationSid: WR(n),
  taskSid: task,
  workerSid: WK(n),
  ...{ kind: 'voice', direction: 'inbound', via: 'routing', endReason: 'completed' },
  offeredAt: at(from - 5),
  acceptedAt: at(from),
  endedAt: at(to),
  ...{ holds: [], pauses: [], recordings: [] },
  recording: { expected: true },
  ...more,
});

const contactOf = (interactions: readonly Interaction[], more: Partial<Contact> = {}): Contact => ({
  id: task,
  keys: [call, ...interactions.flatMap((one) => [one.reservationSid, ...one.recordings]), task],
  ...{ kind: 'voice', channel: 'voice', direction: 'inbound' },
  openedAt: start,
  closedAt: at(1_000),
  interactions,
  ...{ holds: [], recordings: [], inactive: false, marks: [] },
  ...more,
});

/** Of the call, from `from` to `to`, in seconds. */
const recording = (n: number, from: number, to: number, more: Partial<Recorded> = {}): Recorded => ({
  recordingSid: RE(n),
  callSid: call,
  startedAt: new Date(at(from)),
  durationSeconds: to - from,
  state: 'verified',
  unproven: [],
  ...more,
});

const paused = (from: number, to?: number): Pause => ({
  startedAt: at(from),
  ...(to !== undefined && { endedAt: at(to) }),
});

/** What becomes of one segment from 10 to 100 seconds, of agent 1. */
function outcome(
  recordings: readonly Recorded[],
  more: Partial<Interaction> = {},
  pauses: readonly Pause[] = [],
) {
  const [entry, ...others] = ledgerOf(
    [contactOf([segment(1, 10, 100, more)])],
    recordings,
    new Map([[task, pauses]]),
  );
  expect(others).toEqual([]);
  return entry;
}

const owned = { reservationSid: WR(1), workerSid: WK(1), taskSid: task };
const erased: Partial<Recorded> = { state: 'erased', startedAt: new Date(at(90_000)) };

test.each<[string, Recorded[], Partial<Interaction>, Pause[], string]>([
  ['nothing', [], {}, [], 'unexplained'],
  ['a recording of its reservation', [recording(1, 10, 100, owned)], {}, [], 'recorded'],
  [
    'a recording of its reservation without length, still on its way',
    [recording(1, 300, 300, { ...owned, state: 'registered' })],
    {},
    [],
    'recorded',
  ],
  ['a recording of its call that nothing owns', [recording(1, 11, 99)], {}, [], 'recorded'],
  ['one that began before it and lasts', [recording(1, 0, 50)], {}, [], 'recorded'],
  ['one that ended as it began', [recording(1, 0, 10.5)], {}, [], 'unexplained'],
  ['one that began after it', [recording(1, 100, 200)], {}, [], 'unexplained'],
  [
    'one of another reservation',
    [recording(1, 10, 100, { ...owned, reservationSid: WR(2), workerSid: WK(2) })],
    {},
    [],
    'unexplained',
  ],
  [
    'one of another reservation of the same agent',
    [recording(1, 10, 100, { ...owned, reservationSid: WR(2) })],
    {},
    [],
    'unexplained',
  ],
  ['one of another agent', [recording(1, 10, 100, { workerSid: WK(2) })], {}, [], 'unexplained'],
  [
    'one of another agent, if that is unproven',
    [recording(1, 10, 100, { workerSid: WK(2), unproven: ['owner'] })],
    {},
    [],
    'recorded',
  ],
  [
    'one of another agent that events name for it',
    [recording(1, 10, 100, { workerSid: WK(2) })],
    { recordings: [RE(1)] },
    [],
    'recorded',
  ],
  ['one that events alone name', [], { recordings: [RE(1)] }, [], 'unexplained'],
  [
    'one of another call',
    [recording(1, 10, 100, { callSid: sid('CA', 2) as CallSid })],
    {},
    [],
    'unexplained',
  ],
  [
    'one that Twilio has no audio of',
    [recording(1, 10, 100, { ...owned, state: 'absent' })],
    {},
    [],
    'unexplained',
  ],
  [
    'one that was never copied',
    [recording(1, 10, 100, { ...owned, state: 'failed' })],
    {},
    [],
    'unexplained',
  ],
  [
    'a copy whose verification failed',
    [recording(1, 10, 100, { ...owned, state: 'failed', object: {} as never })],
    {},
    [],
    'recorded',
  ],
  ['a pause of its whole length', [], {}, [paused(8, 120)], 'paused'],
  ['its own pause, an open one', [], { pauses: [paused(11)] }, [], 'paused'],
  ['pauses that meet', [], {}, [paused(50, 101), paused(9, 51)], 'paused'],
  ['pauses with a gap', [], {}, [paused(9, 50), paused(55, 101)], 'unexplained'],
  ['a pause that began late', [], {}, [paused(13, 120)], 'unexplained'],
  ['a pause that ended early', [], {}, [paused(10, 97)], 'unexplained'],
  ['a pause of before', [], {}, [paused(0, 9)], 'unexplained'],
  ['a recording and a short pause', [recording(1, 10, 100, owned)], {}, [paused(20, 30)], 'recorded'],
  ['a recording that was paused throughout', [recording(1, 10, 100, owned)], {}, [paused(10, 100)], 'paused'],
  ['no recording expected', [], { recording: { expected: false, reason: 'text' } }, [], 'text'],
  [
    'a recording although none was expected',
    [recording(1, 10, 100, owned)],
    { recording: { expected: false, reason: 'unanswered' } },
    [],
    'recorded',
  ],
  [
    'an acceptance that is missing',
    [recording(1, 10, 100)],
    { acceptedAt: undefined as never },
    [],
    'recorded',
  ],
])('a segment with %s', (_name, recordings, more, pauses, expected) => {
  expect(outcome(recordings, more, pauses)?.outcome).toBe(expected);
});

test('an erased recording counts by its SID alone, and is erased only with all others', () => {
  const named = { recordings: [RE(1), RE(2)] };
  expect(outcome([recording(1, 0, 0, erased)], named)).toMatchObject({
    ...{ outcome: 'recorded', recordings: [RE(1)], isErased: true },
  });
  expect(outcome([recording(1, 0, 0, erased)])).toMatchObject({ outcome: 'unexplained', isErased: false });
  const both = [recording(2, 10, 100, owned), recording(1, 0, 0, erased)];
  expect(outcome(both, named)).toMatchObject({ recordings: [RE(1), RE(2)], isErased: false });
});

test('a recording of the customer counts for each agent whom it overlaps', () => {
  const contact = contactOf([segment(1, 10, 100), segment(2, 95, 200), segment(3, 250, 300)]);
  const entries = ledgerOf([contact], [recording(1, 10, 200)], new Map());
  expect(entries.map((one) => one.outcome)).toEqual(['recorded', 'recorded', 'unexplained']);
});

test('a reason explains an unexplained segment, and is moot beside any other outcome', () => {
  const given: Reason = { reason: 'network', explainedBy: 'ada', explainedAt: new Date(start) };
  const contact = contactOf([
    segment(1, 10, 100),
    segment(2, 100, 200),
    segment(3, 200, 300, { recording: { expected: false, reason: 'survey' } }),
    segment(4, 300, 400, { pauses: [paused(299, 401)] }),
    segment(5, 400, 500),
  ]);
  const reasonsGiven = new Map([1, 2, 3, 4].map((n) => [WR(n), given]));
  const entries = ledgerOf([contact], [recording(1, 100, 200)], new Map(), reasonsGiven);
  expect(entries.map(({ outcome, explanation }) => [outcome, explanation])).toEqual([
    ['explained', given],
    ['recorded', given],
    ['survey', given],
    ['paused', given],
    ['unexplained', undefined],
  ]);
});

test('an open contact and an offer have no entry; the tail of a call has one', () => {
  const { closedAt: _, ...open } = contactOf([segment(1, 10, 100)]);
  expect(ledgerOf([open], [], new Map())).toEqual([]);
  const { acceptedAt: __, ...offer } = segment(2, 10, 20, { endReason: 'rejected' });
  const tail = {
    from: at(100),
    to: at(200),
    recording: { expected: false, reason: 'after-last-agent' },
  } as const;
  const entries = ledgerOf([contactOf([offer, segment(1, 10, 100)], { tail })], [], new Map());
  expect(entries).toMatchObject([
    { reservationSid: WR(1), outcome: 'unexplained' },
    { startedAt: at(100), endedAt: at(200), outcome: 'after-last-agent' },
  ]);
  expect(entries[1]).not.toHaveProperty('reservationSid');
});

test('of all stories, every accepted segment has exactly one outcome, whatever is recorded and paused', () => {
  const contacts = Object.values(stories).flatMap((tell, index) =>
    contactsOf(tell(300 + index).story.events),
  );
  const closed = contacts.filter(({ closedAt }) => closedAt !== undefined);
  const accepted = closed.flatMap(({ interactions }) => interactions.filter(wasAccepted));
  const keys = contacts.flatMap((contact) => contact.keys);
  const [from, to] = [
    Math.min(...contacts.map(({ openedAt }) => openedAt)),
    Math.max(...closed.map(({ closedAt = 0 }) => closedAt)),
  ];
  const moment = fc.integer({ min: from - 60_000, max: to + 60_000 });
  const one = fc.record({
    n: fc.integer({ min: 1, max: 9 }),
    key: fc.constantFrom(...keys),
    startedAt: moment,
    seconds: fc.option(fc.integer({ min: 0, max: 5_000 })),
    state: fc.constantFrom('registered', 'verified', 'failed', 'absent', 'erased'),
    isProven: fc.boolean(),
  });
  const fields = { WT: 'taskSid', WR: 'reservationSid', CA: 'callSid', CF: 'conferenceSid' } as const;
  const pause = fc.record({
    task: fc.constantFrom(...accepted.flatMap(({ taskSid }) => taskSid ?? [])),
    startedAt: moment,
    endedAt: moment,
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 12 }), fc.array(pause, { maxLength: 6 }), (rows, pauses) => {
      const recordings = rows.map(
        ({ n, key, startedAt, seconds, state, isProven }): Recorded => ({
          recordingSid: RE(n),
          ...(key.slice(0, 2) in fields && { [fields[key.slice(0, 2) as keyof typeof fields]]: key }),
          startedAt: new Date(startedAt),
          ...(seconds !== null && { durationSeconds: seconds }),
          state: state as Recorded['state'],
          unproven: isProven ? [] : ['owner'],
        }),
      );
      const byTask = new Map<TaskSid, Pause[]>();
      for (const { task: of, ...times } of pauses) byTask.set(of, [...(byTask.get(of) ?? []), times]);
      const entries = ledgerOf(contacts, recordings, byTask);
      const ofSegments = entries.flatMap(({ reservationSid }) => reservationSid ?? []);
      expect(ofSegments.sort()).toEqual(accepted.map(({ reservationSid }) => reservationSid).sort());
      for (const entry of entries) {
        expect(outcomes).toContain(entry.outcome);
        expect(entry.outcome).not.toBe('not-accepted');
        if (entry.outcome === 'recorded') expect(entry.recordings).not.toEqual([]);
        if (entry.outcome === 'unexplained') expect(entry.recordings).toEqual([]);
      }
      // More recordings explain more.
      const known = new Set(
        ledgerOf(contacts, [], byTask).flatMap((before) =>
          before.outcome === 'unexplained' ? [] : (before.reservationSid ?? []),
        ),
      );
      for (const entry of entries)
        if (entry.reservationSid && known.has(entry.reservationSid))
          expect(entry.outcome).not.toBe('unexplained');
    }),
    { numRuns: 200 },
  );
});

test('docs/recorder.md has the same reasons', () => {
  const docs = readFileSync('docs/recorder.md', 'utf8');
  const table = docs.slice(docs.indexOf('### Reasons'));
  const rows = [...table.matchAll(/^\| `([a-z-]+)` \| (.*) \|$/gm)].map(([, code, meaning]) => [
    code,
    meaning,
  ]);
  expect(rows).toEqual(Object.entries(reasons));
});
