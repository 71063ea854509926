import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks';
import type { FunctionConfig } from './config.ts';
import { readRecordingForm } from './recording-form.ts';
import { signedBody } from './signed-body.ts';

const authToken = 'b'.repeat(32);
const origin = 'https://flex-custody-4200-dev.twil.io';
const path = '/recording-status-callback';
const config = { authToken, addresses: [origin] };
const sid = (prefix: string, digit = 'a') => `${prefix}${digit.repeat(32)}`;
const recording = {
  AccountSid: sid('AC'),
  RecordingSid: sid('RE'),
  RecordingStatus: 'completed',
  RecordingUrl: 'https://api.twilio.com/x',
  CallSid: sid('CA'),
  ErrorCode: '',
};
/** What Twilio says of a conference, to whatever URL a browser gave it. */
const conference = {
  AccountSid: sid('AC'),
  ConferenceSid: sid('CF'),
  StatusCallbackEvent: 'participant-join',
  FriendlyName: sid('WT'),
};

/** The event as the platform makes it of a webhook that Twilio signed. */
function webhook(query: string, form: Record<string, string>, address = origin) {
  const signature = getExpectedTwilioSignature(authToken, `${address}${path}${query}`, form);
  const fields = new URLSearchParams(query);
  const values = [...new Set(fields.keys())].map((name) => {
    const all = fields.getAll(name);
    return [name, all.length === 1 ? all[0] : all];
  });
  return {
    request: { headers: { 'x-twilio-signature': signature } },
    ...Object.fromEntries(values),
    ...form,
  };
}
const read = (event: ReturnType<typeof webhook>) => signedBody(event, path, config);

test.each([
  ['both hints', `?taskSid=${sid('WT')}&reservationSid=${sid('WR')}`],
  ['both, the other way round', `?reservationSid=${sid('WR')}&taskSid=${sid('WT')}`],
  ['the task', `?taskSid=${sid('WT')}`],
  ['the reservation', `?reservationSid=${sid('WR')}`],
  ['none', ''],
  ['an empty one', '?taskSid='],
  ['a placeholder that was not filled in', '?taskSid={taskSid}'],
  ['one that was encoded', '?taskSid=%7BtaskSid%7D&reservationSid=a%20b%26c%3D%23'],
  ['one that a form encoded', '?taskSid=a+b%28c%29%7E'],
  ['text of any language', `?taskSid=${encodeURIComponent('äöü €')}`],
])('%s in the query: the body is what Twilio sent in it', (_, query) => {
  const { body, hints } = read(webhook(query, recording));
  expect(body).toEqual(recording);
  expect(hints).toEqual(Object.fromEntries(new URLSearchParams(query)));
});

test('the address may be any of ours, with its port or without', () => {
  for (const address of [origin, `${origin}:443`])
    expect(read(webhook(`?taskSid=${sid('WT')}`, recording, address)).body).toEqual(recording);
  expect(() => read(webhook('', recording, 'https://other.example'))).toThrow('CUSTODY_FUNCTIONS_URL');
});

const own = new URLSearchParams(recording).toString();

test.each([
  ['the whole form of a recording in the query', `?${own}&taskSid=${sid('WT')}`, conference],
  ['the same behind the hints', `?taskSid=${sid('WT')}&reservationSid=${sid('WR')}&${own}`, conference],
  ['the recording alone', `?RecordingSid=${sid('RE', 'c')}&RecordingStatus=completed`, conference],
  ['one more field beside a true form', `?taskSid=${sid('WT')}&ErrorCode=16101`, recording],
  ['another recording beside a true form', `?RecordingSid=${sid('RE', 'c')}`, { ...recording }],
  ['a field that came twice', `?taskSid=${sid('WT')}&taskSid=${sid('WT', 'b')}`, recording],
  ['a list', '?x=1&x=2', recording],
  ['a field whose name begins with a sign', '?taskSid=a&%26RecordingSid=b', recording],
])('a query of a browser with %s is refused', (_, query, form) => {
  expect(() => read(webhook(query, form))).toThrow(
    expect.objectContaining({ code: 'callback_invalid', status: 400 }),
  );
});

test('a webhook about something else is no recording, whatever its query', () => {
  const readForm = (event: ReturnType<typeof webhook>) =>
    readRecordingForm(event, config as unknown as FunctionConfig);
  expect(() => readForm(webhook(`?taskSid=${sid('WT')}`, conference))).toThrow('RecordingSid');
  // Twilio's form of a recording always says where or when.
  const { RecordingUrl: _, ...bare } = recording;
  expect(() => readForm(webhook('', bare))).toThrow('finished recording');
  expect(readForm(webhook('', { ...bare, RecordingStartTime: 'x' })).callback.status).toBe('completed');
  expect(readForm(webhook('', { ...bare, RecordingStatus: 'absent' })).callback.status).toBe('absent');
});

test('a malformed hint costs no recording', () => {
  const event = webhook('?taskSid=%7BtaskSid%7D&reservationSid=undefined', recording);
  const { callback } = readRecordingForm(event, config as unknown as FunctionConfig);
  expect(callback).toMatchObject({ recordingSid: sid('RE'), hints: {} });
});

test.each([
  ['none', undefined],
  ['an altered one', 'AAAAAAAAAAAAAAAAAAAAAAAAAAA='],
  ['two', ['a', 'b']],
])('a signature that is %s', (_, signature) => {
  const event = { ...webhook('', recording), request: { headers: { 'x-twilio-signature': signature } } };
  expect(() => signedBody(event, path, config)).toThrow(
    expect.objectContaining({ code: 'callback_invalid' }),
  );
});
