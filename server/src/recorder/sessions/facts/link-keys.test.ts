import { contactsOf } from '../contacts-of.ts';
import { abandoned, inbound, outbound } from '../testing/stories.ts';
import { Story } from '../testing/story.ts';
import { linkKeys } from './fact-of.ts';

const sid = (prefix: string, digit = 'b') => prefix + digit.repeat(32);

function keysOf(attributes: unknown, more: Record<string, unknown> = {}) {
  const story = new Story();
  story.router('task.created', { task_sid: sid('WT', '1'), task_attributes: attributes, ...more });
  return linkKeys(story.events[0]!).filter((key) => key !== sid('WT', '1'));
}

test.each([
  ['the interaction', { flexInteractionSid: sid('KD') }, [sid('KD')]],
  ['the conversation of Insights, a SID', { conversations: { conversation_id: sid('WT') } }, [sid('WT')]],
  [
    'the conversation of Insights, a text',
    { conversations: { conversation_id: 'order-2026-7' } },
    ['conversation:order-2026-7'],
  ],
  ['the call', { call_sid: sid('CA') }, [sid('CA')]],
  [
    'the conference and its legs',
    { conference: { sid: sid('CF'), participants: { customer: sid('CA'), worker: sid('CA', 'c') } } },
    [sid('CF'), sid('CA'), sid('CA', 'c')],
  ],
  ['the other task of an internal call', { conferenceSid: sid('WT') }, [sid('WT')]],
  ['the conversation', { channelSid: sid('CH') }, [sid('CH')]],
  ['the task that a survey is about', { contactTaskId: sid('WT') }, [sid('WT')]],
])('%s', (_, attributes, keys) => {
  expect(keysOf(JSON.stringify(attributes))).toEqual(keys);
  expect(keysOf(JSON.stringify(JSON.stringify(attributes)))).toEqual(keys);
});

test.each([
  ['null', null],
  ['empty', ''],
  ['no JSON', '{"call_sid": "CA'],
  ['a list', '[]'],
  ['a number', '7'],
  ['a worker', { conversations: { conversation_id: sid('WK') } }],
  ['a queue', { conversations: { conversation_id: sid('WQ') } }],
  ['a workspace', { conversations: { conversation_id: sid('WS') } }],
  ['an account', { call_sid: sid('AC') }],
  ['a phone number', { conversations: { conversation_id: '+1 (415) 555-0142' } }],
  ['an address', { conversations: { conversation_id: 'whatsapp:+14155550142' } }],
  ['an e-mail address', { conversations: { conversation_id: 'anna7@example.com' } }],
  ['a word', { conversations: { conversation_id: 'undefined' } }],
  ['a short text', { conversations: { conversation_id: '1' } }],
])('no key: %s', (_, attributes) => {
  const text =
    typeof attributes === 'object' && attributes !== null ? JSON.stringify(attributes) : attributes;
  expect(keysOf(text, { worker_sid: sid('WK'), task_queue_sid: sid('WQ'), workflow_sid: sid('WW') })).toEqual(
    [],
  );
});

test('an event without a contact has no key', () => {
  const story = new Story();
  story.router('worker.activity.update', { worker_sid: sid('WK'), worker_activity_name: 'Available' });
  story.router('task-queue.created', { task_queue_sid: sid('WQ') });
  story.router('reservation.failed', { task_sid: null, reservation_sid: null, task_attributes: '' });
  story.emit('com.twilio.conversations.user.added', 'NO1', { UserSid: sid('US'), ChatServiceSid: sid('IS') });
  story.emit('com.twilio.apiusage.taskrouter.ratelimits', 'NO2', { resource_key: 'x' });
  story.emit('com.twilio.messaging.message.sent', 'NO3', { MessageSid: sid('SM') });
  expect(story.events.flatMap(linkKeys)).toEqual([]);
  expect(contactsOf(story.events)).toEqual([]);
});

test('a participant is named by its call, by ParticipantSid or by the URL of the request', () => {
  const story = new Story();
  const conference = { ConferenceSid: sid('CF') };
  const type = 'status-callback.conference.participant.updated';
  story.voice(type, { ...conference, CallSid: sid('CA') });
  story.voice(type, { ...conference, CallSid: null, ParticipantSid: sid('CA') });
  story.voice(type, { conference_sid: sid('CF'), call_sid: sid('CA') });
  story.voice(
    'api-request.conference-participant.modified',
    { Hold: 'true' },
    `https://x/2010-04-01/Accounts/${sid('AC')}/Conferences/${sid('CF')}/Participants/${sid('CA')}.json?x=1`,
  );
  for (const event of story.events) expect(linkKeys(event)).toEqual([sid('CA'), sid('CF')]);
});

test('a request that names the conference after its task has the key of the task', () => {
  const story = new Story();
  const url = `https://api.twilio.com/2010-04-01/Accounts/${sid('AC')}/Conferences/${sid('WT')}/Participants.json`;
  story.voice('api-request.conference-participant.created', { To: '+14155550199' }, url);
  expect(linkKeys(story.events[0]!)).toEqual([sid('WT')]);
});

test('a leg of a call is linked to its parent', () => {
  const story = new Story();
  story.voice('status-callback.call.answered', { CallSid: sid('CA'), ParentCallSid: sid('CA', 'c') });
  expect(linkKeys(story.events[0]!)).toEqual([sid('CA'), sid('CA', 'c')]);
});

test('two callers of one agent in one queue are two contacts', () => {
  const first = outbound(1).story.events;
  const second = outbound(2).story.events;
  expect(contactsOf([...first, ...second])).toHaveLength(2);
});

test('a recording links by its leg and by its conference', () => {
  for (const leg of [false, true]) {
    const { story, task, agents } = inbound();
    task.recorded(sid('RE'), story.now - 60_000, 60, leg ? agents[1]?.leg : undefined);
    const contacts = contactsOf(story.events);
    expect(contacts).toHaveLength(1);
    expect(contacts[0]?.recordings).toEqual([sid('RE')]);
  }
});

test('the wait of an abandoned call counts where no event of its queue came', () => {
  const { story } = abandoned();
  const events = story.events.filter(({ type }) => !type.includes('task-queue'));
  expect(contactsOf(events)[0]?.wait).toBe(25);
});
