import type { SubscribedType, TwilioSink } from '@flex-custody/twilio';
import { eventTypes } from '../../events/event-types.ts';
import { eventStreams } from './event-streams.ts';
import type { Scene } from './scene.ts';

const sink: TwilioSink = {
  sid: `DG${'1'.repeat(32)}`,
  description: 'flex-custody recorder',
  type: 'webhook',
  status: 'active',
  configuration: { destination: 'https://host.example/events' },
};
const all: SubscribedType[] = eventTypes.map((type) => ({ type, schemaVersion: 4 }));

function look(
  change: { sinks?: TwilioSink[]; by?: string[]; types?: SubscribedType[]; offered?: string[] } = {},
) {
  const { sinks = [sink], by = [sink.description], types = all, offered = eventTypes } = change;
  const twilio = {
    sinks: async () => sinks,
    subscriptions: async (sinkSid: string) =>
      by.map((description, n) => ({ sid: `DF${n}`, description, sinkSid })),
    subscribedTypes: async () => types,
    eventTypes: async () => offered.map((type) => ({ type, schemaId: 'S', status: 'available' })),
    latestVersion: async () => 4,
  };
  return eventStreams({ twilio, config: { publicUrl: 'https://host.example' } } as unknown as Scene);
}

test('a complete subscription of an active sink, by webhook or Kinesis', async () => {
  expect(await look()).toBe('webhook, active; the subscription is complete');
  const kinesis = { ...sink, type: 'kinesis', configuration: { arn: 'arn' } };
  expect(await look({ sinks: [{ ...sink, status: 'failed' }, kinesis] })).toMatch(/^kinesis, active/);
});

test("without a sink of its own, and with others' alone, it is a note", async () => {
  const elsewhere = { ...sink, configuration: { destination: 'https://other.example/events' } };
  for (const sinks of [[], [elsewhere], [{ ...sink, description: 'theirs' }]])
    expect(await look({ sinks })).toMatchObject({ next: expect.stringContaining('recorder setup') });
});

test.each([
  ['is failed', { sinks: [{ ...sink, status: 'failed' as const }] }],
  ['has no subscription', { by: [] }],
  ['another owner, DF0', { by: ['theirs'] }],
  [`lacks ${eventTypes[0]}`, { types: all.slice(1) }],
  ['and 5 more', { types: all.slice(10) }],
  [
    'worker.created',
    { types: all.map((one) => (one.type.endsWith('worker.created') ? { ...one, schemaVersion: 1 } : one)) },
  ],
])('a fault: %s', async (fault, change) => {
  await expect(look(change)).rejects.toMatchObject({
    detail: expect.stringContaining(fault),
    next: 'flex-custody recorder setup --sink webhook',
  });
});

test('what Twilio does not offer is a note', async () => {
  expect(await look({ types: all.slice(1), offered: eventTypes.slice(1) })).toMatchObject({
    detail: expect.stringContaining(`does not offer ${eventTypes[0]}`),
  });
});

test('what customers and agents write is not subscribed to', () => {
  expect(eventTypes.filter((type) => /message|messaging/.test(type))).toEqual([]);
});
