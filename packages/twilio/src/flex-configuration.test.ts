import { asAccountSid, asTaskSid, asWorkspaceSid } from '@flex-custody/core';
import { createTwilio } from './client.ts';

interface Asked {
  method: string;
  uri: string;
  params?: Record<string, unknown>;
  data?: unknown;
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

const AC = asAccountSid(`AC${'1'.repeat(32)}`)!;
const WS = asWorkspaceSid(`WS${'2'.repeat(32)}`)!;
const WT = asTaskSid(`WT${'3'.repeat(32)}`)!;
const twilio = createTwilio({ accountSid: AC, workspaceSid: WS, username: AC, password: 'secret' });
const answer = (body: object, statusCode = 200) => {
  mockAnswer = () => ({ statusCode, body: JSON.stringify(body) });
};
beforeEach(() => {
  mockAsked.length = 0;
});

describe('the Flex configuration', () => {
  const uri = 'https://flex-api.twilio.com/v1/Configuration';

  test('what concerns us of it', async () => {
    answer({
      taskrouter_workspace_sid: WS,
      ui_attributes: { a: 1 },
      call_recording_enabled: true,
      call_recording_webhook_url: 'https://x.example',
      crm_enabled: true,
    });
    expect(await twilio.flexConfiguration()).toEqual({
      uiAttributes: { a: 1 },
      uiAttributesText: '{"a":1}',
      callRecordingEnabled: true,
      callRecordingWebhookUrl: 'https://x.example',
      workspaceSid: WS,
    });
    answer({ ui_attributes: null, call_recording_enabled: null, call_recording_webhook_url: '' });
    expect(await twilio.flexConfiguration()).toEqual({
      uiAttributes: {},
      uiAttributesText: '{}',
      callRecordingEnabled: false,
      callRecordingWebhookUrl: undefined,
    });
    expect(mockAsked[0]).toMatchObject({ method: 'get', uri });
  });

  test("everybody's attributes as text, to the character", async () => {
    const text = '{ "crm_id":12345678901234567890,"amount" : 1.10, "n\\u0061me":"\\/" }';
    mockAnswer = () => ({
      statusCode: 200,
      body: `{"call_recording_enabled":true, "ui_attributes" : ${text} }`,
    });
    expect((await twilio.flexConfiguration())?.uiAttributesText).toBe(text);
    await twilio.updateFlexConfiguration({ uiAttributesText: text });
    expect(mockAsked.at(-1)?.data).toBe(`{"account_sid":"${AC}","ui_attributes":${text}}`);
  });

  test('attributes that cannot be read are not taken for none', async () => {
    answer({ ui_attributes: ['a'] });
    await expect(twilio.flexConfiguration()).rejects.toMatchObject({ code: 'twilio_answer' });
    mockAnswer = () => ({ statusCode: 200, body: '<html>' });
    await expect(twilio.flexConfiguration()).rejects.toMatchObject({ code: 'twilio_answer' });
  });

  test('an account without Flex', async () => {
    answer({ code: 20404 }, 404);
    expect(await twilio.flexConfiguration()).toBeUndefined();
    answer({}, 503);
    await expect(twilio.flexConfiguration()).rejects.toMatchObject({ code: 'twilio_unavailable' });
  });

  test('only what is given is written, as JSON', async () => {
    answer({});
    await twilio.updateFlexConfiguration({ uiAttributesText: '{"a":1}' });
    await twilio.updateFlexConfiguration({
      callRecordingEnabled: true,
      callRecordingWebhookUrl: 'https://y',
    });
    expect(mockAsked.map(({ data }) => JSON.parse(String(data)))).toEqual([
      { account_sid: AC, ui_attributes: { a: 1 } },
      { account_sid: AC, call_recording_enabled: true, call_recording_webhook_url: 'https://y' },
    ]);
    expect(mockAsked[0]).toMatchObject({
      method: 'post',
      uri,
      headers: { 'Content-Type': 'application/json' },
    });
    answer({ code: 20003 }, 401);
    await expect(twilio.updateFlexConfiguration({})).rejects.toMatchObject({ code: 'twilio_unauthorized' });
  });
});

describe('the state of a task', () => {
  const task = `https://taskrouter.twilio.com/v1/Workspaces/${WS}/Tasks/${WT}`;
  const has = (status: string, reservations: string[]) => {
    mockAnswer = ({ uri }) => ({
      statusCode: 200,
      body: JSON.stringify(
        uri === task
          ? { sid: WT, assignment_status: status }
          : {
              reservations: reservations.map((reservation_status) => ({ reservation_status })),
              meta: { key: 'reservations' },
            },
      ),
    });
  };

  test('its status, and whether somebody has it in hand', async () => {
    has('assigned', ['accepted']);
    expect(await twilio.taskState(WT)).toEqual({ status: 'assigned', accepted: true });
    // Whatever Twilio made of the filter, only this status counts.
    has('wrapping', ['wrapping', 'completed']);
    expect(await twilio.taskState(WT)).toEqual({ status: 'wrapping', accepted: false });
    expect(mockAsked.find(({ uri }) => uri === `${task}/Reservations`)?.params).toMatchObject({
      ReservationStatus: 'accepted',
    });
  });

  test('gone, and away', async () => {
    answer({ code: 20404 }, 404);
    expect(await twilio.taskState(WT)).toBeUndefined();
    answer({}, 500);
    await expect(twilio.taskState(WT)).rejects.toMatchObject({ code: 'twilio_unavailable', retryable: true });
  });
});

test('the plugins of the active release, or that there is none', async () => {
  const configuration = `FJ${'4'.repeat(32)}`;
  mockAnswer = ({ uri }) => ({
    statusCode: 200,
    body: JSON.stringify(
      uri.includes('/Releases/')
        ? { configuration_sid: configuration }
        : {
            plugins: [{ unique_name: 'plugin-recording', version: '1.2.3' }],
            meta: { key: 'plugins', next_page_url: null },
          },
    ),
  });
  expect(await twilio.releasedPlugins()).toEqual([{ name: 'plugin-recording', version: '1.2.3' }]);
  const service = 'https://flex-api.twilio.com/v1/PluginService';
  expect(mockAsked.map(({ uri }) => uri.split('?')[0])).toEqual([
    `${service}/Releases/active`,
    `${service}/Configurations/${configuration}/Plugins`,
  ]);
  answer({ code: 20404, message: 'not found' }, 404);
  expect(await twilio.releasedPlugins()).toBeUndefined();
});
