import type { WorkerSid } from '@flex-custody/core';
import type { Contact } from './contact.ts';
import type { ContactOptions } from './contact-of.ts';
import { contactsOf } from './contacts-of.ts';
import {
  abandoned,
  chat,
  coldTransfer,
  consult,
  declinedInvite,
  externalTransfer,
  inbound,
  internalCall,
  outbound,
  requeued,
  surveyed,
  warmTransfer,
} from './testing/stories.ts';
import { Story } from './testing/story.ts';

/** The one contact of a story; fails for any other number. */
function only(story: Story, options?: ContactOptions): Contact {
  const contacts = contactsOf(story.events, options);
  expect(contacts).toHaveLength(1);
  return contacts[0]!;
}
const start = Date.parse('2026-11-30T09:00:00.250Z');
const after = (seconds: number) => start + seconds * 1000;
const worker = (name: string) => Story.common('WK', name);

describe('a call', () => {
  test('waits, is rejected by A, accepted by B, on hold once, and completed', () => {
    const { story, task, agents } = inbound();
    const contact = only(story);
    expect(contact).toMatchObject({
      id: task.sid,
      kind: 'voice',
      channel: 'voice',
      direction: 'inbound',
      openedAt: after(2),
      connectedAt: after(21),
      closedAt: after(112),
      wait: 19,
      inactive: false,
      marks: [],
      interactions: [
        {
          reservationSid: agents[0]?.sid,
          endReason: 'rejected',
          recording: { expected: false, reason: 'not-accepted' },
        },
        {
          reservationSid: agents[1]?.sid,
          workerSid: worker('bert'),
          queue: { name: 'Support' },
          via: 'routing',
          offeredAt: after(17),
          acceptedAt: after(21),
          endedAt: after(112),
          endReason: 'completed',
          wait: 19,
          recording: { expected: true },
        },
      ],
    });
    expect(contact.tail).toBeUndefined();
    expect(contact.language).toBeUndefined();
    // Three sources told of the one hold; the conference's event is the most exact.
    expect(contact.holds).toEqual([
      {
        startedAt: after(41.3),
        endedAt: after(81.8),
        endedBy: 'unhold',
        callSid: task.call,
        reservationSid: agents[1]?.sid,
        sources: ['status', 'api-request', 'report'],
      },
    ]);
    expect(contact.interactions[1]?.holds).toEqual(contact.holds);
  });

  test('a warm transfer begins a second interaction and leaves the first one open', () => {
    const { story, agents } = warmTransfer();
    const contact = only(story);
    const [anna, cleo] = contact.interactions;
    expect(anna).toMatchObject({ reservationSid: agents[0]?.sid, endReason: 'transferred', wait: 10 });
    expect(cleo).toMatchObject({
      via: 'warm-transfer',
      endReason: 'completed',
      wait: 20,
      queue: { name: 'Billing' },
    });
    expect(anna!.endedAt).toBeGreaterThan(cleo!.acceptedAt!);
    expect(contact.closedAt).toBe(cleo?.endedAt);
    expect(contact.holds).toHaveLength(1);
    expect(contact.holds[0]?.reservationSid).toBe(agents[0]?.sid);
  });

  test('an agent who only consulted another has transferred nothing', () => {
    const [anna, cleo] = only(consult().story).interactions;
    expect(anna).toMatchObject({ endReason: 'completed' });
    expect(cleo).toMatchObject({ via: 'warm-transfer', endReason: 'completed' });
    expect(cleo!.endedAt).toBeLessThan(anna!.endedAt!);
  });

  test('in a cold transfer only the reservations end interactions', () => {
    const { story, agents } = coldTransfer();
    const contact = only(story);
    expect(contact.interactions).toMatchObject([
      { reservationSid: agents[0]?.sid, acceptedAt: after(11), endedAt: after(61), endReason: 'transferred' },
      { reservationSid: agents[1]?.sid, endReason: 'rescinded' },
      { via: 'cold-transfer', acceptedAt: after(75), endReason: 'completed', wait: 14 },
    ]);
    expect(contact.marks).toEqual([]);
  });

  test("a task's status in a reservation's event says nothing of the reservation", () => {
    const story = new Story();
    const task = story.inboundCall();
    const anna = task.offer('anna');
    task.status = 'wrapping';
    anna.event('accepted');
    expect(only(story).interactions[0]).not.toHaveProperty('endedAt');
  });

  test('a task that is reserved for the next agent closes nothing', () => {
    const { story } = coldTransfer();
    const cut = story.events.findIndex(({ type }) => type.endsWith('transfer-completed'));
    const [contact] = contactsOf(story.events.slice(0, cut - 4));
    expect(contact?.interactions.some(({ acceptedAt }) => acceptedAt === after(11))).toBe(true);
    expect(contact?.closedAt).toBeUndefined();
  });

  test('the wait counts from the first queue of each search', () => {
    expect(only(requeued().story).interactions).toMatchObject([
      { via: 'routing', wait: 42, queue: { name: 'Second' } },
      { via: 're-queue', wait: 18, queue: { name: 'Third' } },
    ]);
  });

  test('where the events of queues are missing, the whole seconds beside other events count', () => {
    const { story } = requeued();
    const events = story.events.filter(({ type }) => !type.includes('task-queue.entered'));
    expect(contactsOf(events)[0]?.interactions).toMatchObject([{ wait: 42 }, { wait: 18 }]);
  });

  test('outbound: connected when the customer answers', () => {
    const { story } = outbound();
    const contact = only(story);
    expect(contact).toMatchObject({ direction: 'outbound', connectedAt: after(14), closedAt: after(59) });
    expect(contact.interactions).toMatchObject([
      { via: 'outbound', acceptedAt: after(0), recording: { expected: true } },
    ]);
    expect(contact.wait).toBeUndefined();
  });

  test('outbound: nobody answered', () => {
    const contact = only(outbound(6, false).story);
    expect(contact.connectedAt).toBeUndefined();
    expect(contact.marks).toEqual(['unanswered']);
    expect(contact.interactions[0]?.recording).toEqual({ expected: false, reason: 'unanswered' });
  });

  test('outbound: the customer who joins the conference has answered', () => {
    const { story, task } = outbound();
    const events = story.events.filter(({ type }) => !type.endsWith('call.answered'));
    expect(contactsOf(events)[0]?.connectedAt).toBeUndefined();
    story.now = after(15);
    task.conferenceEvent('participant-join', { CallSid: task.call });
    expect(
      contactsOf(story.events.filter(({ type }) => !type.endsWith('call.answered')))[0]?.connectedAt,
    ).toBe(after(15));
  });

  test('outbound: the leg labelled as the customer is the one that answers', () => {
    const { story, task } = outbound(6, false);
    story.now = after(12);
    const join = { CallSid: task.call, ParticipantLabel: 'customer', FriendlyName: task.sid };
    story.voice('status-callback.conference.participant.updated', {
      StatusCallbackEvent: 'participant-join',
      ...join,
    });
    expect(only(story)).toMatchObject({ connectedAt: after(12), marks: [] });
  });

  test('a transfer counts although the acceptance before it is missing', () => {
    const { story, agents } = warmTransfer();
    const lost = story.events.findIndex(({ type }) => type.endsWith('reservation.accepted'));
    const [contact] = contactsOf(story.events.toSpliced(lost, 1));
    expect(contact?.interactions).toMatchObject([
      { reservationSid: agents[0]?.sid },
      { via: 'warm-transfer', wait: 20 },
    ]);
  });

  test('a transfer to one agent enters no queue, and the wait counts from its beginning', () => {
    const story = new Story();
    const task = story.inboundCall();
    const anna = task.offer('anna').accept();
    story.wait(30);
    anna.transfer('WARM', 'WK');
    story.wait(11);
    task.offer('bert').accept();
    expect(only(story).interactions[1]).toMatchObject({ via: 'warm-transfer', wait: 11 });
  });

  test('the time in the queue of <Enqueue> counts where TaskRouter says nothing', () => {
    const story = new Story();
    const task = story.inboundCall();
    story.wait(31);
    task.offer('anna').accept();
    story.voice('twiml.enqueue.finished', { CallSid: task.call, QueueTime: '31', QueueResult: 'bridged' });
    for (const { data } of story.sent) {
      const payload = (data as { payload?: Record<string, unknown> }).payload;
      if (payload) payload['task_queue_entered_date'] = null;
    }
    story.sent.splice(
      story.sent.findIndex(({ type }) => type.endsWith('task-queue.entered')),
      1,
    );
    expect(only(story).interactions[0]?.wait).toBe(31);
  });

  test('an internal call is one contact of two tasks', () => {
    const { story, task, second } = internalCall();
    const contact = only(story);
    expect(contact).toMatchObject({ direction: 'internal', id: task.sid, connectedAt: after(4) });
    expect(contact.interactions.map(({ taskSid, via }) => [taskSid, via])).toEqual([
      [task.sid, 'internal'],
      [second.sid, 'internal'],
    ]);
  });

  test('an internal call that the other agent rejects is unanswered, not abandoned', () => {
    const story = new Story();
    const { task, agent } = story.outboundCall('anna', { client_call: true });
    const second = story.moreTask('voice', 'Internal', { client_call: true, conferenceSid: task.sid });
    second.offer('bert').reject();
    second.cancel('reservation rejected');
    agent.wrapUp().complete();
    task.complete();
    expect(only(story).marks).toEqual(['unanswered']);
  });

  test('after an external transfer the tail has no recording to expect', () => {
    const contact = only(externalTransfer().story);
    expect(contact.closedAt).toBe(after(47));
    expect(contact.tail).toEqual({
      from: after(47),
      to: after(447),
      recording: { expected: false, reason: 'after-last-agent' },
    });
  });

  test("a worker's participant-leave ends nothing", () => {
    const { story, task, agents } = inbound();
    const before = only(story);
    const cut = story.sent.findIndex(({ type }) => type.endsWith('reservation.wrapup'));
    const open = story.sent.splice(cut);
    task.conferenceEvent('participant-leave', { CallSid: agents[1]?.leg });
    const half = only(story);
    expect(half.interactions[1]?.endedAt).toBeUndefined();
    expect(half.closedAt).toBeUndefined();
    story.sent.push(...open);
    expect(only(story).closedAt).toBe(before.closedAt);
  });

  test('without any task it is inactive, and closed when its last leg was completed', () => {
    const story = new Story();
    const call = story.sid('CA');
    story.voice('status-callback.call.answered', { CallSid: call, CallStatus: 'in-progress' });
    expect(only(story)).toMatchObject({ id: call, kind: 'voice', inactive: true, openedAt: after(0) });
    expect(only(story).closedAt).toBeUndefined();
    story.wait(9);
    story.voice('webhook.status-callback.call.completed', { CallSid: call, CallStatus: 'completed' });
    expect(only(story).closedAt).toBe(after(9));
  });

  test('an acceptance that is missing is marked, and the interaction is one all the same', () => {
    const { story } = inbound();
    const events = story.events.filter(({ type }) => !type.endsWith('reservation.accepted'));
    const [contact] = contactsOf(events);
    expect(contact).toMatchObject({ inactive: false, marks: ['incomplete'] });
    expect(contact?.interactions[1]).toMatchObject({ endReason: 'completed', recording: { expected: true } });
  });

  test('an end that is missing is marked once the task is over', () => {
    const { story } = inbound();
    const events = story.events.filter(({ type }) => !/reservation\.(wrapup|completed)$/.test(type));
    const [contact] = contactsOf(events);
    expect(contact?.closedAt).toBeUndefined();
    expect(contact?.marks).toEqual(['incomplete']);
  });
});

describe('canceled tasks', () => {
  test('abandoned in the queue', () => {
    const contact = only(abandoned().story);
    expect(contact).toMatchObject({
      inactive: true,
      marks: ['abandoned'],
      wait: 25,
      closedAt: after(27),
      interactions: [{ endReason: 'canceled' }],
    });
  });

  test.each([
    ['hangup', {}, 'abandoned'],
    ['', {}, 'abandoned'],
    ['Task TTL Exceeded', {}, 'diverted'],
    ['redirected', {}, 'diverted'],
    ['Caller wants a callback', {}, 'diverted'],
    ['hangup', { conversations: { abandoned: 'No' } }, 'diverted'],
    ['redirected', { conversations: { abandoned: 'Yes' } }, 'abandoned'],
  ])('by the reason "%s" and the attributes %j it was %s', (reason, attributes, mark) => {
    const story = new Story();
    story.inboundCall('Support', attributes).cancel(reason);
    expect(only(story).marks).toEqual([mark]);
  });

  test('abandoned after it was queued again', () => {
    const story = new Story();
    const task = story.inboundCall();
    task.offer('anna').accept().wrapUp('pending').complete();
    story.wait(5);
    task.requeue('Second');
    story.wait(8);
    task.cancel('hangup');
    expect(only(story)).toMatchObject({ inactive: false, marks: ['abandoned'], closedAt: after(15) });
  });

  test('a survey is no abandoned call, and belongs to its call', () => {
    const { story, task, survey } = surveyed();
    const contact = only(story);
    expect(contact).toMatchObject({ id: task.sid, kind: 'voice', marks: ['survey'], closedAt: after(112) });
    expect(contact.keys).toContain(survey.sid);
  });

  test('the reason may be in the field "reason" alone', () => {
    const story = new Story();
    const task = story.inboundCall();
    task.status = 'canceled';
    task.event('task.canceled', { reason: 'Caller wants a callback' });
    expect(only(story).marks).toEqual(['diverted']);
  });

  test('a survey that is named so by its reason alone', () => {
    const story = new Story();
    const task = story.inboundCall();
    task.cancel('CSAT saved');
    expect(only(story).marks).toEqual(['survey']);
  });

  test('a declined invitation leaves the conversation open', () => {
    const contact = only(declinedInvite().story);
    expect(contact.marks).toEqual(['declined-invite']);
    expect(contact.closedAt).toBeUndefined();
  });

  test('a task that was canceled while its conversation lasts is no abandoned contact', () => {
    const story = new Story();
    story.conversation().cancel('routing changed');
    const contact = only(story);
    expect(contact.marks).toEqual([]);
    expect(contact.closedAt).toBeUndefined();
  });

  test('a customer who leaves a conversation before an agent came has abandoned it', () => {
    const story = new Story();
    const task = story.conversation();
    story.wait(70);
    task.close();
    task.cancel('customer left');
    expect(only(story)).toMatchObject({ kind: 'text', marks: ['abandoned'], closedAt: after(70), wait: 70 });
  });
});

describe('a conversation', () => {
  test('stays open when its agent leaves, is one contact for days, and has its own language', () => {
    const { story, task } = chat();
    const contact = only(story, { textLanguage: 'en-US' });
    expect(contact).toMatchObject({
      id: task.sid,
      kind: 'text',
      channel: 'web',
      language: 'de-DE',
      marks: [],
    });
    expect(contact.interactions).toMatchObject([{ wait: 20 }, { wait: 9, via: 'routing' }]);
    expect(contact.interactions.map(({ recording }) => recording)).toEqual([
      { expected: false, reason: 'text' },
      { expected: false, reason: 'text' },
    ]);
    expect(contact.closedAt! - contact.openedAt).toBeGreaterThan(26 * 3_600_000);
    const open = contactsOf(story.events.slice(0, -1))[0];
    expect(open?.closedAt).toBeUndefined();
  });

  test('of two conversations both have to be closed', () => {
    const { story, task } = chat();
    const other = story.sid('CH');
    story.moreTask('chat', 'Chat', {
      channelSid: other,
      flexInteractionSid: task.attributes['flexInteractionSid'],
    });
    story.conversationEvent('conversation.added', other, { State: 'active' });
    story.wait(60);
    task.close();
    expect(only(story).closedAt).toBeUndefined();
    story.wait(60);
    story.conversationEvent('conversation.removed', other);
    expect(only(story).closedAt).toBe(story.now);
  });

  test('ends with its task where that is the setting, and gets the default language', () => {
    const story = new Story();
    const task = story.conversation();
    const agent = task.offer('anna').accept();
    story.wait(60);
    agent.wrapUp().complete();
    task.complete();
    expect(only(story).closedAt).toBeUndefined();
    const contact = only(story, { textEnds: 'task', textLanguage: 'fr-CA' });
    expect(contact).toMatchObject({ closedAt: after(60), language: 'fr-CA' });
  });

  test('the time of a state is its own, not that of its event', () => {
    const { story, task } = chat();
    story.sent.pop();
    story.wait(600);
    const closedAt = story.now;
    story.wait(90);
    const StateUpdated = new Date(closedAt).toISOString();
    story.conversationEvent('conversation-state.updated', task.conversation, {
      StateTo: 'closed',
      StateUpdated,
    });
    expect(only(story).closedAt).toBe(closedAt);
  });

  test('a state after "closed" opens it once more', () => {
    const { story, task } = chat();
    story.wait(3600);
    task.close('active');
    expect(only(story).closedAt).toBeUndefined();
  });
});

test('no phone number gets into a contact', () => {
  const number = '+14155550142';
  const story = new Story();
  const attributes = {
    from: number,
    name: number,
    customers: { phone: number },
    conversations: { conversation_id: number },
  };
  const task = story.inboundCall('Support', attributes);
  story.voice('status-callback.call.answered', {
    CallSid: task.call,
    From: number,
    To: number,
    Called: number,
  });
  expect(JSON.stringify(story.sent)).toContain(number);
  expect(JSON.stringify(only(story))).not.toContain('4155550');
});

test.each([{ taskType: 'callback' }, { isSurveyTask: true }])(
  'the attributes %j, which agents can write, do not hide a recording that is missing',
  (attributes) => {
    const story = new Story();
    const task = story.inboundCall('Support', attributes);
    task.offer('anna').accept().wrapUp().complete();
    task.complete();
    const contact = only(story);
    expect(contact).toMatchObject({ kind: 'voice', marks: [] });
    expect(contact.interactions[0]?.recording).toEqual({ expected: true });
  },
);

test('work has no recording to expect', () => {
  const story = new Story();
  const task = story.moreTask('voice', 'Callbacks', { taskType: 'callback' });
  task.offer('anna').accept().wrapUp().complete();
  task.complete();
  const contact = only(story);
  expect(contact.kind).toBe('work');
  expect(contact.interactions[0]?.recording).toEqual({ expected: false, reason: 'work-item' });
});

test('states count by their version, whatever their times say', () => {
  const { story } = inbound();
  const events = story.events.map((event) =>
    event.type.endsWith('reservation.completed') ? { ...event, time: new Date(after(30)) } : event,
  );
  const [contact] = contactsOf(events);
  expect(contact?.interactions[1]).toMatchObject({ endedAt: after(112), endReason: 'completed' });
});

test('of two events with one id the choice does not depend on their order', () => {
  const { events } = inbound().story;
  const accepted = events.find(({ type }) => type.endsWith('reservation.accepted'))!;
  const other = { ...accepted, time: new Date(accepted.time.getTime() + 1_000) };
  expect(contactsOf([other, ...events])).toEqual(contactsOf([...events, other]));
});

test("a task's last state is that of its highest version", () => {
  const { story } = inbound();
  const events = story.events.filter(({ type }) => !type.endsWith('task.completed'));
  // The event of version 4 arrives with a time after all others.
  const late = events.map((event) =>
    event.type.endsWith('reservation.rejected') ? { ...event, time: new Date(after(500)) } : event,
  );
  expect(contactsOf(late)[0]?.closedAt).toBe(after(112));
});

test('the employee is the one who worked as the worker at the acceptance', () => {
  const asked: [string, number][] = [];
  const { story } = inbound();
  const contact = only(story, {
    employeeOf: (sid: WorkerSid, at: number) => {
      asked.push([sid, at]);
      return sid === worker('bert') ? { id: 'E7', organization: 'north' } : undefined;
    },
  });
  expect(contact.interactions.map(({ employee }) => employee)).toEqual([
    undefined,
    { id: 'E7', organization: 'north' },
  ]);
  expect(asked).toEqual([
    [worker('anna'), after(12)],
    [worker('bert'), after(21)],
  ]);
});

describe('recordings', () => {
  const re = (digit: string) => `RE${digit.repeat(32)}`;

  test('of a conference belong to all agents that were connected meanwhile, of a leg to its agent', () => {
    const { story, task, agents } = warmTransfer();
    task.recorded(re('1'), after(12), 160);
    task.recorded(re('2'), after(12), 90, agents[0]?.leg);
    task.recorded(re('3'), after(98), 100, agents[1]?.leg);
    const contact = only(story);
    expect(contact.recordings).toEqual([re('1'), re('2'), re('3')]);
    expect(contact.interactions.map(({ recordings }) => recordings)).toEqual([
      [re('1'), re('2')],
      [re('1'), re('3')],
    ]);
  });

  test('of the time before an agent came are none of his', () => {
    const { story, task } = inbound();
    task.recorded(re('1'), after(2), 10, task.call);
    expect(only(story).interactions[1]?.recordings).toEqual([]);
  });
});

test('pauses of a report belong to its reservation, and end with it', () => {
  const { story, task, agents } = inbound();
  const at = story.now;
  story.now = after(50);
  story.report('paused', { taskSid: task.sid, reservationSid: agents[1]?.sid });
  story.now = after(60);
  story.report('resumed', { taskSid: task.sid });
  story.now = after(70);
  story.report('paused', { taskSid: task.sid });
  story.now = at;
  expect(only(story).interactions.map(({ pauses }) => pauses)).toEqual([
    [],
    [
      { startedAt: after(50), endedAt: after(60) },
      { startedAt: after(70), endedAt: after(112) },
    ],
  ]);
});
