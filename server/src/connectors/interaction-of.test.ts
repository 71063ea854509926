import fc from 'fast-check';
import type { AgentEvent } from '../events/agent-event.ts';
import { contactsOf } from '../recorder/sessions/contacts-of.ts';
import { linkKeys } from '../recorder/sessions/facts/fact-of.ts';
import * as told from '../recorder/sessions/testing/stories.ts';
import { Story } from '../recorder/sessions/testing/story.ts';
import { calls } from '../recorder/sessions/testing/strangers/calls.ts';
import { deliver } from '../recorder/sessions/testing/strangers/deliver.ts';
import { messages } from '../recorder/sessions/testing/strangers/messages.ts';
import { outbound } from '../recorder/sessions/testing/strangers/outbound.ts';
import { ties } from '../recorder/sessions/testing/strangers/ties.ts';
import { transfers } from '../recorder/sessions/testing/strangers/transfers.ts';
import { Wire } from '../recorder/sessions/testing/strangers/wire.ts';
import type { Interaction } from './interaction.ts';
import { interactionOf } from './interaction-of.ts';
import { saidIn } from './said.ts';

const csat = { path: 'conversations.conversation_measure_3' };

/** The interactions of a set of events, each computed from the events of its contact alone. */
function interactionsIn(events: readonly AgentEvent[]): (Interaction | undefined)[] {
  return contactsOf(events).map((contact) => {
    const own = events.filter((event) => linkKeys(event).some((key) => contact.keys.includes(key)));
    return interactionOf(contact, saidIn(own, csat), { custodyId: 'c' });
  });
}

/** An interaction as one line; moments in seconds since the beginning of the story. */
function line(one: Interaction | undefined, start: number): string {
  if (!one) return 'none';
  const at = (name: string, moment: number | undefined) =>
    moment === undefined ? '' : ` ${name} ${Math.round((moment - start) / 100) / 10}`;
  const has = (name: string, value: unknown) => (value === undefined ? '' : ` ${name} ${String(value)}`);
  return [
    `${one.channel} ${one.direction} ${one.outcome}`,
    at('accepted', one.acceptedAt),
    at('transferred', one.transferredAt),
    at('closed', one.closedAt),
    at('ended', one.conversationEndedAt),
    at('surveyed', one.surveyedAt),
    has('@', one.queueName),
    has('wait', one.waitSeconds),
    has('talk', one.talkSeconds),
    has('hold', one.holdSeconds),
    has('wrap-up', one.wrapUpSeconds),
    has('phase', one.abandonedPhase),
    has('csat', one.csatScore),
    has('from', one.customer.address),
  ].join('');
}

const tales = [...calls, ...transfers, ...outbound, ...messages, ...ties];

/** Events of a story of either kind, as the inbox has them, and when it began. */
function eventsOf(name: string): { events: AgentEvent[]; start: number } {
  const own = told.stories[name];
  if (own) return { events: own(40).story.events, start: Date.parse(Story.start) };
  const tale = tales.find((one) => one.name === name);
  if (!tale) throw new Error(`there is no story ${name}`);
  const wire = new Wire(tale.name, tale.start);
  tale.write(wire);
  return { events: deliver(wire.events, 'webhook'), start: wire.start };
}

/** What a CRM is to know of each story. */
const known: readonly (readonly [story: string, ...lines: string[]])[] = [
  [
    'the customer hangs up while waiting, and during an offer',
    'voice inbound abandoned closed 14 @ Support wait 14 talk 0 hold 0 wrap-up 0 phase Ringing from +34600000001',
  ],
  [
    'a waiting task that is deleted by the API',
    'voice inbound diverted closed 20 @ Support wait 20 talk 0 hold 0 wrap-up 0 from +34600000001',
  ],
  [
    'inbound, every event of voice, attributes that grow',
    'voice inbound resolved accepted 7.5 closed 91 @ Support wait 5.5 talk 53.5 hold 30 wrap-up 29 from +34600000001',
  ],
  [
    'three queues by timeouts of the workflow, an offer that times out in the second',
    'voice inbound resolved accepted 65 closed 100 @ Everyone wait 65 talk 35 hold 0 wrap-up 5 from +34600000001',
  ],
  [
    'the acceptance is lost: the end says that the agent took it, and the contact is incomplete',
    'voice inbound resolved closed 60 @ Support talk 0 hold 0 wrap-up 10 from +34600000001',
  ],
  [
    'warm transfer to a worker who accepts',
    'voice inbound resolved accepted 5 transferred 100 closed 200 @ Support wait 5 talk 195 hold 0 wrap-up 15 from +34600000001',
  ],
  [
    'warm transfer to a worker who rejects it',
    'voice inbound resolved accepted 5 closed 100 @ Support wait 5 talk 95 hold 0 wrap-up 5 from +34600000001',
  ],
  [
    'cold transfer to a queue: the first agent wraps up while the task is reserved for the next',
    'voice inbound resolved accepted 5 transferred 60.4 closed 200 @ Sales wait 5 talk 165.4 hold 0 wrap-up 30.6 from +34600000001',
  ],
  [
    'cold transfer to a queue in which the customer hangs up',
    'voice inbound abandoned accepted 5 transferred 60 closed 100 @ Support wait 5 talk 55 hold 0 wrap-up 1 phase Queue from +34600000001',
  ],
  [
    'a colleague is asked by a task of its own, which is canceled: the customer is with the agent all the time',
    'voice inbound resolved accepted 5 closed 100 @ Support wait 5 talk 95 hold 0 wrap-up 5 from +34600000001',
  ],
  [
    'consult, then a conference of three, which the customer leaves',
    'voice inbound resolved accepted 5 closed 150 @ Support wait 5 talk 114 hold 31 wrap-up 30 from +34600000001',
  ],
  [
    'external transfer: the agent leaves, customer and third party talk on',
    'voice inbound resolved accepted 5 closed 60 @ Support wait 5 talk 40 hold 15 wrap-up 10 from +34600000001',
  ],
  [
    'the third participant is on hold, then the customer: two holds',
    'voice inbound resolved accepted 5 closed 80 @ Support wait 5 talk 45 hold 30 wrap-up 5 from +34600000001',
  ],
  [
    'outbound, answered',
    'voice outbound resolved accepted 0.6 closed 69 @ Everyone talk 60 hold 0 wrap-up 11 from +34600000002',
  ],
  [
    'outbound, no-answer',
    'voice outbound unanswered accepted 0.6 closed 31 @ Everyone talk 0 hold 0 wrap-up 2 from +34600000002',
  ],
  [
    'outbound without events of voice: whether it was answered is unknown',
    'voice outbound resolved accepted 0.6 closed 69 @ Everyone talk 68.4 hold 0 wrap-up 5 from +34600000002',
  ],
  ['a call between agents: two tasks, and conferenceSid is the first one', 'none'],
  [
    'a voicemail task: work, though its channel is voice and it names the call that left it',
    'voice inbound resolved accepted 3605 closed 3700 @ Voicemail wait 40 talk 0 hold 0 wrap-up 5',
  ],
  [
    'a callback from the queue: work for the agent, who then dials',
    'voice inbound resolved accepted 605 closed 710 @ Callbacks wait 40 talk 89 hold 0 wrap-up 6 from +34600000002',
  ],
  [
    'a callback that is tried twice: the first call is not answered, the second one is',
    'voice outbound resolved accepted 0.6 closed 170 @ Everyone talk 60 hold 0 wrap-up 11 from +34600000002',
  ],
  [
    'a callback that is not answered: the customer was reached by no agent',
    'voice inbound unanswered accepted 101 closed 131 @ Everyone wait 40 talk 0 hold 0 wrap-up 1 from +34600000001',
  ],
  [
    'a survey after the call, which ends as canceled',
    'voice inbound resolved accepted 5 closed 60 @ Support wait 5 talk 55 hold 0 wrap-up 5',
  ],
  [
    'SMS over three days: the agent leaves, the reply is a new task of the same interaction',
    'sms inbound resolved accepted 10 closed 259200 ended 259200 @ Support wait 9 talk 1460 hold 0 wrap-up 25 from +34600000001',
  ],
  [
    'WhatsApp that an agent transfers to a queue by a new invite of the interaction',
    'whatsapp inbound resolved accepted 5 transferred 75 closed 301 ended 301 @ Sales wait 5 talk 281 hold 0 wrap-up 6',
  ],
  [
    'an agent who is invited to a chat declines: the task is canceled, the conversation lasts',
    'webchat inbound open accepted 5 @ Support wait 5 talk 0 hold 0 wrap-up 0',
  ],
  [
    'parked and taken up again: the task ends, and the conversation stays open',
    'webchat inbound open accepted 5 @ Support wait 5 talk 55 hold 0 wrap-up 5',
  ],
  [
    'the former chat: a channel that no event of Conversations closes',
    'webchat inbound resolved accepted 5 closed 60 @ Support wait 5 talk 55 hold 0 wrap-up 5',
  ],
  [
    'e-mail, in a channel of its own',
    'other inbound resolved accepted 5 closed 605 ended 605 @ Support wait 5 talk 595 hold 0 wrap-up 5 from customer@example.com',
  ],
  [
    'a survey after a chat, in the same channel',
    'webchat inbound resolved accepted 5 closed 201 ended 201 @ Support wait 5 talk 55 hold 0 wrap-up 5',
  ],
  [
    'an agent writes first',
    'sms outbound resolved accepted 1 closed 90 ended 90 @ Support talk 59 hold 0 wrap-up 5',
  ],
  [
    'a conversation that no agent gets, and that a timer closes',
    'sms inbound diverted closed 3600 ended 3600 @ Support wait 3599 talk 0 hold 0 wrap-up 0',
  ],
  [
    'requeued',
    'voice inbound resolved accepted 44 transferred 82 closed 107 @ Third wait 42 talk 45 hold 0 wrap-up 0',
  ],
  ['consult', 'voice inbound resolved accepted 6 closed 88 @ Support wait 4 talk 50.5 hold 31.5 wrap-up 0'],
  ['abandoned', 'voice inbound abandoned closed 27 @ Support wait 25 talk 0 hold 0 wrap-up 0 phase Ringing'],
  ['internalCall', 'none'],
  [
    'unanswered',
    'voice outbound unanswered accepted 0 closed 24 @ Outbound talk 0 hold 0 wrap-up 0 from +14155550199',
  ],
  [
    'chat',
    'webchat inbound resolved accepted 20 closed 94049 ended 94049 @ Chat wait 20 talk 420 hold 0 wrap-up 0',
  ],
  [
    'waiting, and canceled with the reason "Customer chose voicemail"',
    'voice inbound diverted closed 20 @ Support wait 20 talk 0 hold 0 wrap-up 0 from +34600000001',
  ],
  [
    'waiting, and canceled with the reason "Call hungup"',
    'voice inbound abandoned closed 20 @ Support wait 20 talk 0 hold 0 wrap-up 0 phase Queue from +34600000001',
  ],
];

test.each(known)('%s', (name, ...lines) => {
  const { events, start } = eventsOf(name);
  expect(interactionsIn(events).map((one) => line(one, start))).toEqual(lines);
});

test.each(known.map(([name]) => name))('%s: the same in any order, and with each event twice', (name) => {
  const { events } = eventsOf(name);
  const expected = interactionsIn(events);
  const places = [...events, ...events].map((_, place) => place % events.length);
  const whole = { minLength: places.length, maxLength: places.length };
  fc.assert(
    fc.property(fc.shuffledSubarray(places, whole), (order) => {
      const mixed = order.map((place) => events[place]!);
      expect(interactionsIn(mixed)).toEqual(expected);
    }),
    { numRuns: 1 },
  );
});

test('seconds of all stories: no part is negative, and talk and hold fit into the contact', () => {
  for (const name of [...tales.map((tale) => tale.name), ...Object.keys(told.stories)]) {
    for (const one of interactionsIn(eventsOf(name).events)) {
      if (!one) continue;
      const { talkSeconds, holdSeconds, wrapUpSeconds, openedAt, closedAt = Number.POSITIVE_INFINITY } = one;
      expect([name, Math.min(talkSeconds, holdSeconds, wrapUpSeconds) >= 0]).toEqual([name, true]);
      expect([name, talkSeconds + holdSeconds <= (closedAt - openedAt) / 1000]).toEqual([name, true]);
      expect([name, one.outcome === 'open']).toEqual([name, one.closedAt === undefined]);
    }
  }
});

describe('the answer of a survey', () => {
  const call = () => {
    const scene = told.surveyed(41);
    return { ...scene, before: scene.story.events.length };
  };

  test('is on the task of the survey, and comes later', () => {
    const { story, task } = call();
    const survey = story.moreTask('voice', 'Survey', {
      isSurveyTask: true,
      conversations: { conversation_id: task.sid },
    });
    story.wait(30);
    survey.attributes = {
      ...survey.attributes,
      conversations: { conversation_id: task.sid, conversation_measure_3: '4' },
    };
    survey.event('task.updated');
    const at = story.now;
    story.wait(10);
    survey.cancel('CSAT saved');
    const [one, ...others] = interactionsIn(story.events);
    expect(others).toEqual([]);
    expect(one).toMatchObject({ csatScore: 4, surveyedAt: at, outcome: 'resolved', reason: 'hangup' });
    expect(one?.tasks).toHaveLength(3);
  });

  test('is the newest one, and came with the first', () => {
    const { story, task } = told.inbound(42);
    const answer = (score: unknown) => {
      task.attributes = { ...task.attributes, conversations: { conversation_measure_3: score } };
      task.event('task.updated');
      return story.wait(5).now - 5_000;
    };
    const first = answer(2);
    answer(5);
    expect(interactionsIn(story.events)[0]).toMatchObject({ csatScore: 5, surveyedAt: first });
  });

  test.each([
    [-1, undefined],
    [0, 0],
    [5, 5],
    [5.5, undefined],
    [11, undefined],
  ])('of a survey with 5 points %j is %j', (given, score) => {
    const { story, task } = told.inbound(44);
    task.attributes = { ...task.attributes, conversations: { conversation_measure_3: given } };
    task.event('task.updated');
    expect(saidIn(story.events, { ...csat, scale: 5 }).csat?.score).toBe(score);
  });

  test.each([['yes'], [''], [null], [{}], [[]]])('%j is none', (score) => {
    const { story, task } = told.inbound(43);
    task.attributes = { ...task.attributes, conversations: { conversation_measure_3: score } };
    task.event('task.updated');
    expect(interactionsIn(story.events)[0]).not.toHaveProperty('csatScore');
  });
});

describe('the customer', () => {
  const addressOf = (attributes: object, channel = 'voice') => {
    const story = new Story(44);
    story.moreTask(channel, 'Support', { ...attributes });
    return interactionsIn(story.events)[0]?.customer.address;
  };
  test.each([
    [{ from: '+34600000001', to: '+34900000000' }, 'voice', '+34600000001'],
    [{ direction: 'outbound', from: '+34900000000', outbound_to: '+34600000001' }, 'voice', '+34600000001'],
    [{ from: 'sip:+34600000001@trunk.example.com' }, 'voice', '+34600000001'],
    [{ from: 'client:ada', name: '+34600000001' }, 'voice', '+34600000001'],
    [{ from: 'client:ada' }, 'voice', undefined],
    [{ from: 'Anonymous' }, 'voice', undefined],
    [{ from: '+266696687' }, 'voice', undefined],
    [{ from: 7, name: {} }, 'voice', undefined],
    [{ channelType: 'whatsapp', from: 'whatsapp:+34600000001' }, 'chat', '+34600000001'],
    [{ channelType: 'sms', customerAddress: '+34 600 00 00 01' }, 'chat', '+34600000001'],
    [{ channelType: 'web', customerAddress: 'visitor-7', from: 'Ada' }, 'chat', 'visitor-7'],
    [{ channelType: 'web', from: 'Ada', name: 'Ada' }, 'chat', undefined],
    [{ channelType: 'web', identity: 'anonymous' }, 'chat', undefined],
    [{ channelType: 'email', from: 'ada@example.com' }, 'email', 'ada@example.com'],
    [
      { direction: 'outbound', channelType: 'sms', from: '+34900000000', to: '+34600000001' },
      'sms',
      '+34600000001',
    ],
  ])('%j on %s is %s', (attributes, channel, address) => {
    expect(addressOf(attributes, channel)).toBe(address);
  });

  test("is whom the call's customer leg names", () => {
    const { story, task } = told.inbound(45);
    story.voice('status-callback.call.completed', {
      ...{ CallSid: task.call, From: '+34600000009', To: '+14155550100', Direction: 'inbound' },
    });
    expect(interactionsIn(story.events)[0]?.customer.address).toBe('+34600000009');
  });

  test('has the newest attribute of each name, and none of the names by which objects inherit', () => {
    const { story, task } = told.inbound(46);
    task.attributes = { tier: 'silver', account: { id: 1, seen: true } };
    task.event('task.updated');
    story.wait(1);
    task.attributes = { tier: 'gold', account: { id: 2 }, ...JSON.parse('{"__proto__": {"polluted": 1}}') };
    task.event('task.updated');
    const attributes = interactionsIn(story.events)[0]?.customer.attributes;
    expect(attributes).toMatchObject({ tier: 'gold', account: { id: 2, seen: true }, direction: 'inbound' });
    expect(Object.keys(attributes ?? {})).not.toContain('__proto__');
    expect(attributes).not.toHaveProperty('polluted');
  });
});

test.each([
  [{ abandoned: 'Yes', abandoned_phase: 'IVR' }, 'abandoned', 'IVR'],
  [{ abandoned: 'No', abandoned_phase: 'Queue' }, 'diverted', undefined],
  [{}, 'abandoned', 'Queue'],
])('what Flex Insights is told in %j: %s in %s', (conversations, outcome, phase) => {
  const story = new Story(47);
  const task = story.inboundCall('Support', { conversations });
  story.wait(20);
  task.cancel('hangup');
  const [one] = interactionsIn(story.events);
  expect([one?.outcome, one?.abandonedPhase]).toEqual([outcome, phase]);
});

test('a customer who gave up and then is served by a later task has not given up', () => {
  const story = new Story(48);
  const conversations = { conversation_id: story.sid('WT') };
  const first = story.moreTask('voice', 'Support', { direction: 'inbound', conversations });
  story.wait(30);
  first.cancel('hangup');
  expect(interactionsIn(story.events)[0]?.outcome).toBe('abandoned');
  story.wait(5);
  const second = story.moreTask('voice', 'Support', { direction: 'inbound', conversations });
  expect(interactionsIn(story.events)[0]?.outcome).toBe('open');
  second.offer('anna').accept().wrapUp().complete();
  second.complete();
  expect(interactionsIn(story.events).map((one) => one?.outcome)).toEqual(['resolved']);
});

test('a conversation without any task is an interaction, a call without one is not', () => {
  const story = new Story(49);
  const conversation = story.sid('CH');
  story.conversationEvent('conversation.added', conversation, { State: 'active' });
  story.conversationEvent('participant.added', conversation, {
    ParticipantSid: story.sid('MB'),
    'MessagingBinding.Address': 'whatsapp:+34600000001',
  });
  story.wait(60).conversationEvent('conversation-state.updated', conversation, { StateTo: 'closed' });
  story.voice('status-callback.call.completed', {
    CallSid: story.sid('CA'),
    Direction: 'inbound',
    CallStatus: 'completed',
  });
  const found = interactionsIn(story.events);
  expect(found).toHaveLength(2);
  expect(found.find((one) => one)).toMatchObject({
    ...{ kind: 'text', channel: 'whatsapp', outcome: 'ended', conversationSid: conversation, tasks: [] },
    customer: { address: '+34600000001' },
  });
  expect(found.filter((one) => !one)).toHaveLength(1);
});

test.each<[binding: object, channel: string, address: string | undefined]>([
  [{ MessagingBinding: { Type: 'sms', Address: '+34600000001' } }, 'sms', '+34600000001'],
  [{ messagingBinding: { type: 'sms', address: '12345' } }, 'sms', undefined],
  [{ MessagingBinding: '{"Type":"WhatsApp","Address":"+34600000001"}' }, 'whatsapp', '+34600000001'],
  [{ 'MessagingBinding.Type': 'sms', 'MessagingBinding.Address': '+34600000001' }, 'sms', '+34600000001'],
  [{ MessagingBinding: { Address: '+34600000001' } }, 'sms', '+34600000001'],
  [{ MessagingBinding: { Type: 'messenger', Address: 'messenger:17' } }, 'other', '17'],
  [{ MessagingBinding: { Type: 'web' } }, 'webchat', undefined],
  [{ Identity: 'visitor-7' }, 'webchat', undefined],
])(
  'a conversation without any task, whose participant has %j, is in the channel %s',
  (binding, channel, address) => {
    const story = new Story(51);
    const conversation = story.sid('CH');
    story.conversationEvent('participant.added', conversation, {
      ParticipantSid: story.sid('MB'),
      ...binding,
    });
    story.wait(60).conversationEvent('conversation-state.updated', conversation, { StateTo: 'closed' });
    const [one] = interactionsIn(story.events);
    expect(one).toMatchObject({ channel, tasks: [] });
    expect(one?.customer.address).toBe(address);
  },
);

test('the channel of a chat is that of its first participant with an address', () => {
  const story = new Story(52);
  const task = story.conversation('Chat', { channelType: undefined, customerAddress: '+34600000001' });
  for (const [Type, Address] of [
    ['sms', '+34600000001'],
    ['messenger', 'messenger:17'],
  ])
    story.conversationEvent('participant.added', task.conversation, { MessagingBinding: { Type, Address } });
  expect(interactionsIn(story.events)[0]).toMatchObject({
    ...{ channel: 'sms', customer: { address: '+34600000001' } },
  });
});

test('the flow of a legacy chat, and the messages that Twilio counted', () => {
  const story = new Story(50);
  const flow = `FO${'1'.repeat(32)}`;
  story.moreTask('chat', 'Chat', { channelType: 'web', channelSid: story.sid('CH'), flexFlowSid: flow });
  const [contact] = contactsOf(story.events);
  const one = interactionOf(contact!, saidIn(story.events, undefined), { custodyId: 'c', messages: 7 });
  expect(one).toMatchObject({ flexFlowSid: flow, messages: 7, channel: 'webchat' });
});
