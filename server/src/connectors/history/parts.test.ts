import type { AccountSid, ConversationSid } from '@flex-custody/core';
import type { ConversationParticipant, TwilioConversation } from '@flex-custody/twilio';
import { contactsOf } from '../../recorder/sessions/contacts-of.ts';
import { atOnce } from './at-once.ts';
import { channelOfConversation, channelsOfTask } from './channel.ts';
import { conversationEvents } from './conversation-events.ts';
import { historyOptions } from './options.ts';
import { beginningOf, placeAsState, placeOfState, slicesOf } from './place.ts';

const day = 24 * 60 * 60_000;
const now = Date.UTC(2026, 10, 24, 12);

describe('the options of an import', () => {
  test('what is absent has a default; lists come in one order, each item once', () => {
    expect(historyOptions({ connector: 'brevo' })).toEqual({
      connector: 'brevo',
      type: 'incremental',
      resources: ['tasks', 'conversations'],
      isDry: false,
    });
    const all = { type: 'full', resources: ['conversations'], since: '2026-01-01', dryRun: true };
    expect(historyOptions({ connector: 'brevo', ...all, channels: ['sms', 'voice', 'sms'] })).toEqual({
      connector: 'brevo',
      type: 'full',
      resources: ['conversations'],
      since: Date.UTC(2026, 0),
      channels: ['voice', 'sms'],
      isDry: true,
    });
  });

  test.each([
    { type: 'all' },
    { type: 'full' },
    { since: 'soon' },
    { resources: [] },
    { resources: ['interactions'] },
    { channels: 'voice' },
    { channels: ['fax'] },
    { connector: 7 },
  ])('%j is refused', (wrong) => {
    expect(() => historyOptions({ connector: 'brevo', ...wrong })).toThrow(
      expect.objectContaining({ code: 'request_invalid' }),
    );
  });
});

describe('channels', () => {
  const task = (channel: unknown, attributes?: object) => ({
    task_channel_unique_name: channel,
    ...(attributes && { task_attributes: JSON.stringify(attributes) }),
  });
  test.each([
    [task('voice'), ['voice']],
    [task('Callback'), ['voice']],
    [task('sms'), ['sms']],
    [task('email'), ['other']],
    [task('chat'), ['webchat', 'whatsapp', 'sms']],
    [task('chat', { channelType: 'web' }), ['webchat']],
    [task('chat', { channelType: 'chat' }), ['webchat']],
    [task('chat', { channelType: 'whatsapp' }), ['whatsapp']],
    [task('chat', { channelType: 'sms' }), ['sms']],
    [task('chat', { from: 'whatsapp:+34600' }), ['whatsapp']],
    [task('chat', { customerAddress: 'whatsapp:+34600' }), ['whatsapp']],
    [task(null), []],
    [{}, []],
    [{ task_channel_unique_name: 'chat', task_attributes: 'no json' }, ['webchat', 'whatsapp', 'sms']],
  ])('a task with %j', (data, channels) => {
    expect(channelsOfTask(data)).toEqual(channels);
  });

  const one = (more: Partial<ConversationParticipant>): ConversationParticipant => ({
    sid: 'MB1',
    attributes: '{}',
    createdAt: new Date(now),
    ...more,
  });
  test.each([
    [[], undefined],
    [[one({ identity: 'guest' })], 'webchat'],
    [[one({ binding: { type: 'sms', address: '+34600' } })], 'sms'],
    [[one({ binding: { type: 'sms', address: 'whatsapp:+34600' } })], 'whatsapp'],
    [[one({ binding: { type: 'whatsapp', address: 'whatsapp:+34600' } })], 'whatsapp'],
    [[one({ binding: { type: 'chat', address: 'x' } })], 'webchat'],
    [[one({ binding: { type: 'messenger', address: 'x' } })], 'other'],
  ])('a conversation of %j', (customers, channel) => {
    expect(channelOfConversation(customers)).toBe(channel);
  });
});

describe('a conversation as events', () => {
  const accountSid = `AC${'1'.repeat(32)}` as AccountSid;
  const sid = `CH${'2'.repeat(32)}` as ConversationSid;
  const createdAt = new Date(now - day);
  const closed: TwilioConversation = {
    sid,
    serviceSid: `IS${'3'.repeat(32)}`,
    state: 'closed',
    friendlyName: 'Ada',
    attributes: '{"language":"de"}',
    createdAt,
    updatedAt: new Date(now),
  };
  const binding = { type: 'sms', address: '+34600000000' };
  const customer = { sid: `MB${'4'.repeat(32)}`, attributes: '{}', binding, createdAt };
  const events = conversationEvents(closed, [customer], accountSid);
  const asRead = (all: typeof events) =>
    all.map(({ id, type, time, data }) => ({ id, type, time: new Date(time), data }));
  /** As the stream sends them. */
  const streamed = (state: string, ms: number, name = 'conversation-state.updated') => ({
    id: `NO-${state}-${ms}`,
    type: `com.twilio.conversations.${name}`,
    time: new Date(ms),
    data: {
      ConversationSid: sid,
      ...(name === 'conversation.added' ? { State: state } : { StateTo: state }),
    },
  });

  test('they are the same each time, and have the address of the customer alone', () => {
    expect(events).toEqual(conversationEvents({ ...closed }, [{ ...customer }], accountSid));
    expect(events.map(({ type, id }) => [type, id])).toEqual([
      ['com.twilio.conversations.conversation.added', `${sid}-added`],
      ['com.twilio.conversations.participant.added', `${sid}-${customer.sid}`],
      ['com.twilio.conversations.conversation-state.updated', `${sid}-closed`],
    ]);
    expect(events[1]?.data).toMatchObject({ MessagingBinding: { Type: 'sms', Address: '+34600000000' } });
    expect(events.map(({ time }) => time)).toEqual([
      createdAt.toISOString(),
      createdAt.toISOString(),
      new Date(now + 999).toISOString(),
    ]);
  });

  test('alone they are a contact by messages', () => {
    expect(contactsOf(asRead(events))).toMatchObject([
      { id: sid, kind: 'text', language: 'de', openedAt: createdAt.getTime(), closedAt: now + 999 },
    ]);
  });

  test("beside the stream's own events they change nothing of when it ended, whichever of them came", () => {
    const begin = streamed('active', createdAt.getTime() + 400, 'conversation.added');
    const end = streamed('closed', now + 300);
    const [contact] = contactsOf([begin, end, ...asRead(events)]);
    expect(contact).toMatchObject({ closedAt: now + 300 });
    // A state of the same second as the end, of which the stream lost the event.
    const [lost] = contactsOf([begin, streamed('inactive', now + 200), ...asRead(events)]);
    expect(lost).toMatchObject({ closedAt: now + 999 });
  });
});

describe('where an import begins', () => {
  const bounds = { now, oldest: 0 };
  const minute = 60_000;
  const checkpoint = { until: now - 5 * day, open: ['CH1'] };
  const until = now - minute;

  test('a full one at since, and an incremental one before its checkpoint', () => {
    const since = now - 300 * day;
    expect(beginningOf('conversations', { type: 'full', since }, checkpoint, bounds)).toEqual({
      ...{ from: since, at: since, wanted: since, until, open: ['CH1'], isKept: true },
    });
    expect(beginningOf('conversations', { type: 'incremental' }, checkpoint, bounds)).toMatchObject({
      from: now - 12 * day,
      wanted: now - 5 * day,
    });
    expect(beginningOf('tasks', { type: 'incremental', since }, checkpoint, bounds)).toMatchObject({
      from: now - 5 * day - 10 * minute,
    });
  });

  test('without a checkpoint an incremental one begins at since, or a day ago', () => {
    expect(beginningOf('tasks', { type: 'incremental' }, undefined, bounds).from).toBe(now - day);
    const since = now - 2 * day;
    expect(beginningOf('tasks', { type: 'incremental', since }, undefined, bounds)).toMatchObject({
      from: since,
      isKept: true,
    });
  });

  test('no earlier than what Twilio keeps, and no later than now', () => {
    const since = now - 300 * day;
    const oldest = now - 30 * day;
    expect(beginningOf('tasks', { type: 'full', since }, undefined, { now, oldest }).from).toBe(oldest);
    const later = beginningOf('tasks', { type: 'full', since: now + day }, undefined, bounds);
    expect([later.from, slicesOf('tasks', later)]).toEqual([until, 0]);
  });

  test('one that leaves a gap after the checkpoint does not move it', () => {
    const of = (since: number) => beginningOf('tasks', { type: 'full', since }, checkpoint, bounds).isKept;
    expect([of(now - 5 * day), of(now - 4 * day)]).toEqual([true, false]);
  });

  test('a place is saved and read as it was', () => {
    const place = beginningOf('conversations', { type: 'incremental' }, checkpoint, bounds);
    expect(placeOfState(JSON.parse(JSON.stringify(placeAsState(place))))).toEqual(place);
    expect(() => placeOfState({})).toThrow(expect.objectContaining({ code: 'request_invalid' }));
  });
});

test('so many at once, in order, and an error ends it', async () => {
  let running = 0;
  let most = 0;
  const work = async (n: number) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise(setImmediate);
    running -= 1;
    return n * 2;
  };
  expect(await atOnce([1, 2, 3, 4, 5], 2, work)).toEqual([2, 4, 6, 8, 10]);
  expect(most).toBe(2);
  const begun: number[] = [];
  const failing = atOnce([1, 2, 3, 4], 1, async (n) => {
    begun.push(n);
    if (n === 2) throw new Error('broken');
  });
  await expect(failing).rejects.toThrow('broken');
  expect(begun).toEqual([1, 2]);
});
