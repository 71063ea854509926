import type { Contact } from './contact.ts';
import { contactsOf } from './contacts-of.ts';
import { auditing, defaultEmployee, longCall, longHolds, shortCall } from './policies.ts';
import {
  abandoned,
  chat,
  inbound,
  internalCall,
  outbound,
  type Scene,
  warmTransfer,
} from './testing/stories.ts';
import { Story } from './testing/story.ts';

const contactOf = ({ story }: { story: Story }, options = {}): Contact =>
  contactsOf(story.events, options)[0]!;
const start = Date.parse('2026-11-30T09:00:00.250Z');
const after = (seconds: number) => start + seconds * 1000;
const minute = 60;

/** Accepted at second 2, lasts so many seconds. */
function lasting(seconds: number, end = true): Scene {
  const story = new Story(40);
  const task = story.inboundCall();
  const anna = task.offer('anna').accept();
  story.wait(seconds);
  if (end) {
    anna.wrapUp();
    story.wait(600);
    anna.complete();
    task.complete();
  }
  return { story, task, agents: [anna] };
}

describe('short call', () => {
  test.each([
    [9.999, true],
    [10, false],
    [10.001, false],
  ])('%d seconds, of which 10 are wanted: %p', (seconds, short) => {
    expect(shortCall(contactOf(lasting(seconds)), 10) !== undefined).toBe(short);
  });

  test('tells its times and always has the same id', () => {
    const scene = lasting(4);
    const decision = shortCall(contactOf(scene), 10);
    expect(decision).toEqual({
      id: `short-call/${scene.task.sid}`,
      connectedAt: after(2),
      closedAt: after(6),
      seconds: 4,
    });
    scene.task.recorded(`RE${'1'.repeat(32)}`, after(2), 4);
    expect(shortCall(contactOf(scene), 10)).toEqual(decision);
  });

  test('0 is no minimum', () => expect(shortCall(contactOf(lasting(0)), 0)).toBeUndefined());

  test('an open call is not short yet', () => {
    expect(shortCall(contactOf(lasting(4, false)), 10)).toBeUndefined();
  });

  test('outbound counts from the answer, and an unknown answer decides nothing', () => {
    const scene = outbound();
    expect(shortCall(contactOf(scene), 46)).toMatchObject({ seconds: 45 });
    const routed = scene.story.events.filter(({ type }) => !type.startsWith('com.twilio.voice.'));
    expect(shortCall(contactsOf(routed)[0]!, 3600)).toBeUndefined();
  });

  test.each([
    ['a conversation', chat()],
    ['a call that no agent took', abandoned()],
  ])('%s is none', (_, scene) => {
    expect(shortCall(contactOf(scene), 3600 * 99)).toBeUndefined();
  });

  test('nor is a call of which an event is missing', () => {
    const { story } = lasting(4);
    const events = story.events.filter(({ type }) => !type.endsWith('reservation.accepted'));
    expect(shortCall(contactsOf(events)[0]!, 3600)).toBeUndefined();
  });

  test('nor one whose first acceptance is missing, so that it seems shorter than it was', () => {
    const { events } = warmTransfer().story;
    const first = events.findIndex(({ type }) => type.endsWith('reservation.accepted'));
    const contact = contactsOf(events.toSpliced(first, 1))[0]!;
    expect(contact).toMatchObject({ connectedAt: expect.any(Number), closedAt: expect.any(Number) });
    expect(shortCall(contact, 3600)).toBeUndefined();
  });

  test('nor a call that was made without an agent', () => {
    const story = new Story();
    const leg = { CallSid: story.sid('CA'), To: '+14155550199', Direction: 'outbound-api' };
    story.voice('status-callback.call.answered', leg);
    story.wait(3);
    story.voice('status-callback.call.completed', leg);
    expect(contactOf({ story })).toMatchObject({ connectedAt: after(0), closedAt: after(3), inactive: true });
    expect(shortCall(contactOf({ story }), 3600)).toBeUndefined();
  });

  test('an internal call counts from the acceptance by the other agent', () => {
    expect(shortCall(contactOf(internalCall()), 34)).toMatchObject({ seconds: 33 });
  });
});

describe('long call', () => {
  const open = contactOf(lasting(1, false));

  test.each([
    [120 * minute - 0.001, false],
    [120 * minute, true],
  ])('after %d s: %p', (seconds, long) => {
    expect(longCall(open, 120, after(2 + seconds)) !== undefined).toBe(long);
  });

  test('says whether it still lasts, and has one id', () => {
    const now = after(2 + 130 * minute);
    const id = `long-call/${open.id}`;
    expect(longCall(open, 120, now)).toEqual({ id, since: after(2), open: true });
    expect(longCall(contactOf(lasting(121 * minute)), 120, now + 1e9)).toEqual({
      id,
      since: after(2),
      open: false,
    });
    expect(longCall(contactOf(lasting(119 * minute)), 120, now + 1e9)).toBeUndefined();
  });

  test('a conversation may last for days', () => {
    expect(longCall(contactOf(chat()), 1, after(1e9))).toBeUndefined();
  });

  test('outbound without a known answer counts from the acceptance', () => {
    const { story } = outbound();
    const routed = story.events.filter(({ type }) => !type.startsWith('com.twilio.voice.'));
    expect(longCall(contactsOf(routed)[0]!, 0.9, 0)).toMatchObject({ since: after(0) });
  });
});

describe('long holds', () => {
  function held(...seconds: number[]): Scene {
    const scene = lasting(10, false);
    for (const one of seconds) {
      scene.agents[0]!.hold();
      scene.story.wait(one - 0.5);
      scene.agents[0]!.unhold();
      scene.story.wait(60);
    }
    return scene;
  }

  test('each single hold counts, never their sum', () => {
    const decisions = longHolds(contactOf(held(29 * minute, 30 * minute, 29 * minute, 45 * minute)), 30, 0);
    expect(decisions).toHaveLength(2);
    expect(new Set(decisions.map(({ id }) => id)).size).toBe(2);
    expect(decisions[0]).toMatchObject({ open: false, reservationSid: expect.stringMatching(/^WR/) });
  });

  test('a hold that lasts counts until now', () => {
    const scene = lasting(10, false);
    scene.agents[0]!.hold();
    const contact = contactOf(scene);
    const since = contact.holds[0]!.startedAt;
    expect(longHolds(contact, 31, since + 31 * 60_000 - 1)).toEqual([]);
    expect(longHolds(contact, 31, since + 31 * 60_000)).toMatchObject([{ startedAt: since, open: true }]);
  });

  test('once, though a more exact source comes later', () => {
    const scene = lasting(10, false);
    const { story, task } = scene;
    // A look at the participants first.
    story.now = after(300);
    const participants = [{ callSid: task.call, hold: true }];
    story.emit('flex-custody.participants', story.sid('OP'), {
      conferenceSid: task.conference,
      participants,
    });
    const now = after(300 + 31 * minute);
    const reported = longHolds(contactOf(scene), 30, now);
    expect(reported).toHaveLength(1);
    story.now = after(100);
    scene.agents[0]!.hold();
    expect(contactOf(scene).holds).toHaveLength(1);
    expect(longHolds(contactOf(scene), 30, now)).toHaveLength(1);
    expect(longHolds(contactOf(scene), 30, now, reported)).toEqual([]);
  });

  test('a second long hold of the same agent is reported', () => {
    const scene = held(31 * minute, 32 * minute);
    const all = longHolds(contactOf(scene), 30, 0);
    expect(longHolds(contactOf(scene), 30, 0, all.slice(0, 1))).toEqual(all.slice(1));
  });
});

test('auditing keeps every session and shows it once it is closed', () => {
  const open = lasting(3, false);
  expect(auditing(contactOf(open))).toEqual({
    id: `audited/${open.task.sid}`,
    keep: true,
    inactive: false,
    shown: false,
  });
  expect(auditing(contactOf(abandoned()))).toMatchObject({ keep: true, inactive: true, shown: true });
  expect(auditing(contactOf(inbound()))).toMatchObject({ keep: true, inactive: false, shown: true });
});

test('what no known employee did belongs to the default one', () => {
  const scene = warmTransfer();
  const [anna, cleo] = scene.agents;
  const contact = contactOf(scene, {
    employeeOf: (worker: string) => (worker === anna?.worker ? { id: 'E1' } : undefined),
  });
  const employee = { id: 'E0', organization: 'north' };
  expect(defaultEmployee(contact, employee)).toEqual([
    { id: `default-employee/${cleo?.sid}`, reservationSid: cleo?.sid, workerSid: cleo?.worker, employee },
  ]);
  expect(defaultEmployee(contactOf(abandoned()), employee)).toEqual([]);
});
