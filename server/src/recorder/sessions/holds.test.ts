import type { Contact, Hold } from './contact.ts';
import { contactsOf } from './contacts-of.ts';
import { inbound, type Scene } from './testing/stories.ts';
import { Story } from './testing/story.ts';

const start = Date.parse('2026-11-30T09:00:00.250Z');
const after = (seconds: number) => start + seconds * 1000;

/** A call that its agent has accepted at second 2. */
function live(): Scene {
  const story = new Story(30);
  const task = story.inboundCall();
  const anna = task.offer('anna').accept();
  return { story, task, agents: [anna] };
}

const contactOf = ({ story }: Scene): Contact => contactsOf(story.events)[0]!;
const spans = (scene: Scene) =>
  contactOf(scene).holds.map(({ startedAt, endedAt, sources }: Hold) => ({
    from: (startedAt - start) / 1000,
    to: endedAt === undefined ? undefined : (endedAt - start) / 1000,
    sources,
  }));

function seen({ story, task }: Scene, at: number, hold: boolean): void {
  story.now = after(at);
  story.emit('flex-custody.participants', story.sid('OP'), {
    conferenceSid: task.conference,
    participants: [{ callSid: task.call, hold }],
  });
}

test.each([
  ['status', 'status', 10.3, 50.8],
  ['api', 'api-request', 10, 50.5],
  ['report', 'report', 10.5, 51],
] as const)('%s alone is enough', (source, name, from, to) => {
  const scene = live();
  const [anna] = scene.agents;
  scene.story.wait(8);
  anna!.hold(true, [source]);
  scene.story.wait(40);
  anna!.unhold([source]);
  expect(spans(scene)).toEqual([{ from, to, sources: [name] }]);
});

test('looks at the participants alone are enough, as far as they are exact', () => {
  const scene = live();
  seen(scene, 60, false);
  seen(scene, 360, true);
  seen(scene, 660, true);
  seen(scene, 960, false);
  expect(spans(scene)).toEqual([{ from: 360, to: 960, sources: ['participants'] }]);
});

test('a look gives the end that other sources lost, and no second hold', () => {
  const scene = live();
  scene.story.wait(8);
  scene.agents[0]!.hold();
  seen(scene, 300, true);
  seen(scene, 600, false);
  expect(spans(scene)).toEqual([
    { from: 10.3, to: 600, sources: ['status', 'api-request', 'report', 'participants'] },
  ]);
});

test('a look that was taken while a hold ended begins none', () => {
  const scene = live();
  scene.story.wait(8);
  scene.agents[0]!.hold();
  scene.story.wait(40);
  scene.agents[0]!.unhold();
  seen(scene, 53, true);
  expect(spans(scene)).toHaveLength(1);
  seen(scene, 300, true);
  expect(spans(scene)).toHaveLength(2);
});

test('one source may lose the beginning, and another the end', () => {
  const scene = live();
  scene.story.wait(8);
  scene.agents[0]!.hold(true, ['report']);
  scene.story.wait(40);
  scene.agents[0]!.unhold(['api']);
  expect(spans(scene)).toEqual([{ from: 10.5, to: 50.5, sources: ['api-request', 'report'] }]);
});

test('two holds in quick succession are two, though a source is late', () => {
  const scene = live();
  const { story, task } = scene;
  const status = (at: number, name: string) => {
    story.now = after(at);
    task.conferenceEvent(`participant-${name}`, { CallSid: task.call });
  };
  const report = (at: number, kind: string) => {
    story.now = after(at);
    story.report(kind, { taskSid: task.sid });
  };
  status(20, 'hold');
  status(22, 'unhold');
  status(23, 'hold');
  status(60, 'unhold');
  report(21.5, 'held');
  report(23.5, 'unheld');
  report(24.5, 'held');
  report(61, 'unheld');
  const { events } = story;
  expect(spans(scene).map(({ from, to }) => [from, to])).toEqual([
    [20, 22],
    [23, 60],
  ]);
  expect(contactsOf([...events, ...structuredClone(events)])).toEqual(contactsOf(events));
});

test("a conference's events count in the order of SequenceNumber", () => {
  const scene = live();
  const { story, task } = scene;
  // Both in one second, and the envelope of the second has the earlier time.
  story.now = after(20.6);
  task.conferenceEvent('participant-hold', { CallSid: task.call });
  story.now = after(20.1);
  task.conferenceEvent('participant-unhold', { CallSid: task.call });
  story.now = after(200);
  task.hangUp();
  expect(spans(scene)).toEqual([{ from: 20.6, to: 20.6, sources: ['status'] }]);
});

test('participant-modify says by its parameter Hold whether it is one', () => {
  const scene = live();
  const { story, task } = scene;
  const modify = (at: number, parameters: object) => {
    story.now = after(at);
    task.conferenceEvent('participant-modify', { CallSid: task.call, ...parameters });
  };
  modify(10, { Muted: 'true' });
  modify(20, { Hold: 'true' });
  modify(30, { Hold: 'true', Muted: 'false' });
  modify(40, { Hold: 'false' });
  expect(spans(scene)).toEqual([{ from: 20, to: 40, sources: ['status'] }]);
});

test('the parameter Hold of participant-hold is not read: Twilio sends "false" there', () => {
  const scene = live();
  scene.story.wait(8);
  scene.task.conferenceEvent('participant-hold', { CallSid: scene.task.call, Hold: 'false' });
  expect(spans(scene)).toEqual([{ from: 10, to: undefined, sources: ['status'] }]);
});

test('a hold that was never ended ends with its interaction, or with the conference before', () => {
  for (const [conference, by] of [
    [false, 'interaction'],
    [true, 'conference'],
  ] as const) {
    const scene = live();
    const [anna] = scene.agents;
    scene.story.wait(8);
    anna!.hold(true, ['api', 'report']);
    expect(contactOf(scene).holds[0]).not.toHaveProperty('endedAt');
    scene.story.wait(99.5);
    if (conference) scene.task.conferenceEvent('conference-end');
    scene.story.wait(5);
    anna!.wrapUp();
    expect(contactOf(scene).holds).toMatchObject([{ endedAt: after(conference ? 110 : 115), endedBy: by }]);
    expect(contactOf(scene).interactions[0]?.holds).toHaveLength(1);
  }
});

test('a customer who leaves is on hold no longer', () => {
  const scene = live();
  scene.story.wait(8);
  scene.agents[0]!.hold(true, ['status']);
  scene.story.wait(30);
  scene.task.hangUp();
  expect(spans(scene)).toMatchObject([{ from: 10.3, to: 40.5 }]);
});

test('two legs on hold at once are two holds; a report without a leg means the customer', () => {
  const scene = live();
  const { story, task } = scene;
  const other = story.sid('CA');
  const of = (at: number, name: string, CallSid: string) => {
    story.now = after(at);
    task.conferenceEvent(name, { CallSid });
  };
  of(10, 'participant-hold', task.call);
  story.report('held', { taskSid: task.sid });
  of(20, 'participant-hold', other);
  of(40, 'participant-unhold', task.call);
  of(60, 'participant-unhold', other);
  expect(contactOf(scene).holds).toMatchObject([
    { callSid: task.call, startedAt: after(10), endedAt: after(40), sources: ['status', 'report'] },
    { callSid: other, startedAt: after(20), endedAt: after(60), sources: ['status'] },
  ]);
});

test('a report belongs to its own agent, anything else to the one who was connected first', () => {
  const { story, task, agents } = live();
  const bert = task.offer('bert').accept();
  story.wait(20);
  bert.hold(true, ['report']);
  story.wait(20);
  bert.unhold(['report']);
  story.wait(20);
  agents[0]!.hold(true, ['status']);
  const [contact] = contactsOf(story.events);
  expect(contact?.holds.map(({ reservationSid }) => reservationSid)).toEqual([bert.sid, agents[0]?.sid]);
});

test('a conference event that came twice under two ids is one', () => {
  const scene = inbound();
  const event = scene.story.sent.find(({ data }) => JSON.stringify(data).includes('participant-unhold'))!;
  scene.story.sent.push({ ...structuredClone(event), id: 'VW-again' });
  expect(spans(scene)).toHaveLength(1);
});
