import { asAccountSid, asConversationSid, asWorkspaceSid } from '@flex-custody/core';
import { createTwilio } from './client.ts';
import { customersOf } from './conversations.ts';

interface Asked {
  method: string;
  uri: string;
  params?: Record<string, unknown>;
}
const mockAsked: Asked[] = [];
let mockAnswer: (asked: Asked) => { statusCode: number; body: unknown };

// The real SDK, with only its wire replaced.
jest.mock('twilio', () => {
  const sdk = jest.requireActual<typeof import('twilio')>('twilio');
  class Wire extends sdk.RequestClient {
    override async request(options: unknown): Promise<never> {
      mockAsked.push(options as Asked);
      return { headers: {}, ...mockAnswer(options as Asked) } as never;
    }
  }
  return { __esModule: true, default: Object.assign(sdk.bind(undefined), { RequestClient: Wire }) };
});

const hex = (n: number) => n.toString(16).padStart(32, '0');
const AC = asAccountSid(`AC${hex(1)}`)!;
const WS = asWorkspaceSid(`WS${hex(1)}`)!;
const CH = asConversationSid(`CH${hex(1)}`)!;
const WK = `WK${hex(1)}`;
const twilio = createTwilio({ accountSid: AC, workspaceSid: WS, username: AC, password: 'secret' });
const api = 'https://conversations.twilio.com/v1/Conversations';

/** Answers by the end of the address; what is not named is 404. */
const answers = (bodies: Record<string, object>) => {
  mockAnswer = ({ uri }) => {
    const body = bodies[Object.keys(bodies).find((end) => uri.endsWith(end)) ?? ''];
    return body
      ? { statusCode: 200, body: JSON.stringify(body) }
      : { statusCode: 404, body: '{"code":20404}' };
  };
};
const list = (key: string, items: object[], next: string | null = null) => ({
  [key]: items,
  meta: { key, next_page_url: next },
});
const conversation = (more: object = {}) => ({
  sid: CH,
  chat_service_sid: `IS${hex(1)}`,
  state: 'closed',
  friendly_name: null,
  attributes: '{"a":1}',
  date_created: '2026-11-24T12:00:00Z',
  date_updated: '2026-11-24T12:30:00Z',
  ...more,
});
const participant = (n: number, more: object = {}) => ({
  sid: `MB${hex(n)}`,
  identity: null,
  attributes: '{}',
  messaging_binding: null,
  date_created: '2026-11-24T12:00:00Z',
  ...more,
});
const message = (n: number, author: string | null, by: number | null) => ({
  sid: `IM${hex(n)}`,
  author,
  participant_sid: by === null ? null : `MB${hex(by)}`,
  body: `secret ${n}`,
  date_created: `2026-11-24T12:00:0${n}Z`,
});
const period = { since: new Date('2026-11-24T00:00:00.400Z'), until: new Date('2026-11-25T00:00:00Z') };

beforeEach(() => {
  mockAsked.length = 0;
});

test('conversations by their creation, 100 at a time, and the next page as it is named', async () => {
  answers({
    '/Conversations': list('conversations', [conversation()], `${api}?Page=1`),
    'Page=1': list('conversations', []),
  });
  const first = await twilio.conversationsPage({ ...period, state: 'closed' });
  expect(first).toEqual({
    conversations: [
      {
        sid: CH,
        serviceSid: `IS${hex(1)}`,
        state: 'closed',
        friendlyName: '',
        attributes: '{"a":1}',
        createdAt: new Date('2026-11-24T12:00:00Z'),
        updatedAt: new Date('2026-11-24T12:30:00Z'),
      },
    ],
    next: `${api}?Page=1`,
  });
  expect(mockAsked[0]?.params).toMatchObject({
    StartDate: '2026-11-24T00:00:00Z',
    EndDate: '2026-11-25T00:00:00Z',
    State: 'closed',
    PageSize: 100,
  });
  expect(await twilio.conversationsPage(period, first.next)).toEqual({ conversations: [] });
});

test('a page elsewhere is not asked for: the credentials go along', async () => {
  answers({});
  for (const url of ['https://evil.example/v1/Conversations?x', `${api}.evil/?x`, `${api}/${CH}/Messages?`])
    await expect(twilio.conversationsPage(period, url)).rejects.toMatchObject({ code: 'twilio_answer' });
  expect(mockAsked).toEqual([]);
  answers({
    '/Participants': list('participants', [participant(1)], 'https://evil.example/'),
  });
  await expect(twilio.conversationParticipants(CH)).rejects.toMatchObject({ code: 'twilio_answer' });
  expect(mockAsked).toHaveLength(1);
});

test('a list that is gone is no empty list', async () => {
  answers({});
  await expect(twilio.conversationsPage(period)).rejects.toMatchObject({ code: 'twilio_answer' });
});

test('one conversation, or none; one that is no conversation is an error', async () => {
  answers({ [CH]: conversation({ state: 'inactive' }) });
  expect(await twilio.conversation(CH)).toMatchObject({ sid: CH, state: 'inactive' });
  expect(await twilio.conversation(asConversationSid(`CH${hex(2)}`)!)).toBeUndefined();
  for (const wrong of [{ sid: 'CH1' }, { state: 'asleep' }, { date_created: null }]) {
    answers({ [CH]: conversation(wrong) });
    await expect(twilio.conversation(CH)).rejects.toMatchObject({ code: 'twilio_answer' });
  }
});

test('participants with the address of their channel, or their identity', async () => {
  const binding = { type: 'whatsapp', address: 'whatsapp:+34600', proxy_address: 'whatsapp:+34900' };
  answers({
    '/Participants': list('participants', [
      participant(1, { messaging_binding: binding }),
      participant(2, { identity: 'ada', messaging_binding: { projected_address: '+34900' } }),
    ]),
  });
  expect(await twilio.conversationParticipants(CH)).toEqual([
    expect.objectContaining({ binding: { type: 'whatsapp', address: 'whatsapp:+34600' } }),
    expect.objectContaining({ identity: 'ada' }),
  ]);
  expect((await twilio.conversationParticipants(CH))?.[1]).not.toHaveProperty('binding');
  answers({});
  expect(await twilio.conversationParticipants(CH)).toBeUndefined();
});

test('messages are counted over all pages, by who wrote them, and nothing of them is kept', async () => {
  const next = `${api}/${CH}/Messages?Page=1`;
  answers({
    '/Participants': list('participants', [
      participant(1, { messaging_binding: { type: 'sms', address: '+34600' } }),
      participant(2, { identity: 'guest7', attributes: '{"member_type":"guest"}' }),
      participant(3, { identity: 'ada' }),
    ]),
    '/Messages': list(
      'messages',
      [message(1, '+34600', 1), message(2, 'ada', 3), message(3, 'system', null)],
      next,
    ),
    'Page=1': list('messages', [message(4, 'guest7', null), message(5, 'left', 9)]),
  });
  const counted = await twilio.messageCount(CH);
  expect(counted).toEqual({
    messages: 5,
    byCustomer: 2,
    byAgent: 2,
    firstAt: new Date('2026-11-24T12:00:01Z'),
    lastAt: new Date('2026-11-24T12:00:05Z'),
  });
  expect(JSON.stringify(counted)).not.toContain('secret');
  expect(mockAsked.find(({ uri }) => uri.endsWith('/Messages'))?.params).toMatchObject({ PageSize: 100 });
});

test('a web chat is begun by its visitor', () => {
  const one = (n: number, more: object = {}) => ({
    sid: `MB${hex(n)}`,
    attributes: '{}',
    createdAt: new Date(n),
    ...more,
  });
  const [agent, visitor] = [one(2, { identity: 'ada' }), one(1, { identity: 'v7' })];
  const guest = one(3, { attributes: '{"member_type":"guest"}' });
  expect(customersOf([agent, visitor])).toEqual([visitor]);
  expect(customersOf([agent, visitor, guest])).toEqual([guest]);
  expect(customersOf([one(1), agent])).toEqual([]);
  expect(customersOf([])).toEqual([]);
});

test('a conversation without messages, and one that is gone', async () => {
  answers({ '/Participants': list('participants', []), '/Messages': list('messages', []) });
  expect(await twilio.messageCount(CH)).toEqual({ messages: 0, byCustomer: 0, byAgent: 0 });
  answers({ '/Participants': list('participants', []) });
  expect(await twilio.messageCount(CH)).toBeUndefined();
  answers({});
  expect(await twilio.messageCount(CH)).toBeUndefined();
});

test.each([
  [401, 'twilio_unauthorized'],
  [429, 'twilio_unavailable'],
  [503, 'twilio_unavailable'],
  [400, 'twilio_refused'],
])('HTTP %s is %s', async (statusCode, code) => {
  mockAnswer = () => ({ statusCode, body: '{"code":1,"message":"of +34600"}' });
  const asked = twilio.conversationsPage(period);
  await expect(asked).rejects.toMatchObject({ code });
  await expect(asked).rejects.not.toThrow('+34600');
});

describe('workers', () => {
  const workers = `https://taskrouter.twilio.com/v1/Workspaces/${WS}/Workers`;

  test('all, by large pages', async () => {
    const ada = { sid: WK, friendly_name: 'Ada', activity_name: 'Available', attributes: '{}' };
    answers({
      '/Workers': list('workers', [ada], `${workers}?Page=1`),
      'Page=1': list('workers', [{ ...ada, activity_name: null }]),
    });
    const first = await twilio.workersPage();
    expect(first).toEqual({
      workers: [{ sid: WK, friendlyName: 'Ada', activity: 'Available' }],
      next: `${workers}?Page=1`,
    });
    expect(await twilio.workersPage(first?.next)).toMatchObject({ workers: [{ activity: '' }] });
  });

  test('no workspace is undefined, and a page elsewhere is not asked for', async () => {
    answers({});
    expect(await twilio.workersPage()).toBeUndefined();
    await expect(twilio.workersPage('https://evil.example/')).rejects.toMatchObject({
      code: 'twilio_answer',
    });
    expect(mockAsked).toHaveLength(1);
  });
});
