import { join } from 'node:path';
import { until } from '../../../test/support/until.ts';
import type { Courier } from '../callbacks.ts';
import { createEventLog } from '../events.ts';
import { type Media, openMediaFile } from '../media.ts';
import { createWorld, type Recording, type Reservation, type World } from '../world.ts';
import { createExchange, type Exchange, type LiveEvent } from './exchange.ts';
import { createLegs, type Legs } from './legs.ts';
import { asPlacedCall, viewLiveCall } from './view.ts';

const functionsUrl = 'https://flex-custody-4200-dev.twil.io';
let dialogue: Media;
let world: World;
let exchange: Exchange;
let legs: Legs;
let heard: string[];
let delivered: Recording[];
let workers: string[];

beforeAll(async () => {
  dialogue = await openMediaFile(join(process.cwd(), 'sandbox/media/dialogue.wav'));
});
afterAll(() => dialogue.close());
beforeEach(() => {
  world = createWorld();
  workers = [...world.workers.keys()];
  heard = [];
  delivered = [];
  const courier: Courier = {
    deliver: async (recording) => {
      delivered.push({ ...recording });
      return [];
    },
    deliveries: () => [],
    close: () => undefined,
  };
  const events = createEventLog();
  legs = createLegs({ world, events, courier, dialogue, functions: [functionsUrl, 'http://127.0.0.1:4200'] });
  exchange = createExchange({ world, events, legs });
  exchange.on((event) => heard.push(nameOf(event)));
});
afterEach(() => exchange.close());

const nameOf = (event: LiveEvent) => `${event.of}.${event.name}`;
const ring = (more: Partial<Parameters<Exchange['ring']>[0]> = {}) =>
  exchange.ring({
    direction: 'inbound',
    channel: 'voice',
    worker: workers[0]!,
    queue: 'Everyone',
    attributes: {},
    ...more,
  });
const recorded = {
  Record: 'true',
  RecordingChannels: 'dual',
  RecordingStatusCallback: `${functionsUrl}/recording-status-callback?taskSid=x#rc=5&rp=all`,
};
const look = (sid: string) => viewLiveCall(world, world.tasks.get(sid)!, () => []);
const second = (): Reservation => [...world.reservations.values()].at(-1)!;

describe('an inbound call', () => {
  test('goes from pending to completed, and its conference from nobody to nobody', () => {
    const { task, reservation, customerCall } = ring();
    expect(look(task.sid)).toMatchObject({ task: { status: 'reserved' }, legs: [] });
    exchange.accept(reservation, {});
    expect(look(task.sid)).toMatchObject({
      task: { status: 'assigned', attributes: { call_sid: customerCall!.sid } },
      conference: { status: 'in-progress' },
      legs: [
        { call: customerCall!.sid, label: 'customer', status: 'in-progress' },
        { to: 'client:alice_40northwind_2Eexample', status: 'in-progress', worker: workers[0] },
      ],
    });
    exchange.hangUp(reservation);
    expect(look(task.sid)).toMatchObject({
      task: { status: 'wrapping' },
      conference: { status: 'completed' },
    });
    exchange.complete(reservation);
    expect(look(task.sid).task.status).toBe('completed');
    expect(heard.filter((name) => name.startsWith('reservation'))).toEqual([
      'reservation.created',
      'reservation.accepted',
      'reservation.wrapup',
      'reservation.completed',
    ]);
  });

  test('is recorded as the acceptance asks, in the functions’ own words', () => {
    const { task, reservation } = ring();
    exchange.accept(reservation, {
      ...recorded,
      ConferenceRecord: true,
      ConferenceRecordingStatusCallback: 'http://127.0.0.1:4200/recording-status-callback?of=conference',
    });
    expect(look(task.sid).recordings).toMatchObject([
      {
        of: 'leg',
        status: 'in-progress',
        channels: 2,
        source: 'OutboundAPI',
        callback: '/recording-status-callback?taskSid=x#rc=5&rp=all',
      },
      { of: 'conference', status: 'in-progress', callback: '/recording-status-callback?of=conference' },
    ]);
    exchange.customerHangUp(task);
    expect(look(task.sid).recordings.map(({ status }) => status)).toEqual(['completed', 'completed']);
    expect(delivered.map(({ media, seconds }) => [media!.size(1), seconds > 0])).toHaveLength(2);
    const call = asPlacedCall(world, task)!;
    expect(call.reservations[0]!.recording).toBe(call.recordings[0]);
  });

  test('whose recording was paused over REST is still completed at its end', () => {
    const { reservation } = ring();
    exchange.accept(reservation, recorded);
    const [recording] = world.recordings.values();
    recording!.status = 'paused';
    exchange.hangUp(reservation);
    expect(recording).toMatchObject({ status: 'completed', media: expect.anything() });
  });

  test('leaves the recording to Twilio’s own webhook where the callback is that', () => {
    const { task, reservation } = ring();
    exchange.accept(reservation, {
      ConferenceRecord: 'true',
      ConferenceRecordingStatusCallback: 'https://webhooks.twilio.com/v1/Accounts/AC/FlexRecordingWebhook',
    });
    exchange.customerHangUp(task);
    expect(delivered).toEqual([]);
    expect(world.forwarded).toMatchObject([{ taskSid: task.sid }]);
  });

  test.each([
    ['a boolean', { Record: true }],
    ['three channels', { Record: 'true', RecordingChannels: 'surround' }],
  ])('is not accepted with %s, and may be tried again', (_what, parameters) => {
    const { task, reservation } = ring();
    expect(() => exchange.accept(reservation, parameters)).toThrow(/must be/);
    expect(look(task.sid)).toMatchObject({ reservations: [{ status: 'pending' }], legs: [] });
    exchange.accept(reservation, {});
    expect(reservation.status).toBe('accepted');
  });

  test('that the customer gives up while it rings is canceled', () => {
    const { task, reservation, customerCall } = ring();
    exchange.customerHangUp(task);
    expect([reservation.status, task.status, customerCall!.status]).toEqual([
      'canceled',
      'canceled',
      'completed',
    ]);
  });

  test('whose leg is ended over REST ends as if the agent had hung up', async () => {
    const { task, reservation } = ring();
    exchange.accept(reservation, recorded);
    const leg = exchange.legOf(reservation)!;
    Object.assign(leg, { status: 'completed', endedAt: new Date() });
    await until(() => reservation.status === 'wrapping');
    expect(look(task.sid).recordings).toMatchObject([{ status: 'completed' }]);
  });

  test('goes on with a new leg, unrecorded, when the browser was opened anew', () => {
    const { task, reservation } = ring();
    exchange.accept(reservation, recorded);
    exchange.refreshLeg(reservation);
    const view = look(task.sid);
    expect(view.legs.map(({ participant }) => participant)).toEqual(['connected', 'complete', 'connected']);
    expect(view.recordings).toMatchObject([{ call: view.legs[1]!.call, status: 'completed' }]);
    expect(reservation.status).toBe('accepted');
  });
});

test('a supervisor listens in without being recorded or ending anything', () => {
  const { task, reservation } = ring();
  expect(() => exchange.supervise(reservation, workers[2]!)).toThrow('no such call');
  exchange.accept(reservation, recorded);
  exchange.supervise(reservation, workers[2]!);
  const { legs: all, recordings } = look(task.sid);
  expect(all.at(-1)).toMatchObject({ to: 'client:carla_40northwind_2Eexample', muted: true });
  expect(recordings).toHaveLength(1);
  exchange.leave(task.sid, all.at(-1)!.call);
  expect([reservation.status, look(task.sid).conference!.status]).toEqual(['accepted', 'in-progress']);
});

describe('a transfer', () => {
  const answered = () => {
    const rung = ring();
    exchange.accept(rung.reservation, recorded);
    return rung;
  };

  test('that is cold takes the first agent out at once, and records each leg', () => {
    const { task, reservation } = answered();
    const transfer = exchange.transfer(reservation, workers[1]!, 'COLD');
    expect(reservation.status).toBe('wrapping');
    expect(look(task.sid)).toMatchObject({
      task: { status: 'assigned' },
      conference: { status: 'in-progress' },
      legs: [{ hold: true }, { participant: 'complete' }],
      recordings: [{ status: 'completed' }],
    });
    exchange.accept(second(), recorded);
    expect(transfer.status).toBe('complete');
    exchange.hangUp(second());
    expect(look(task.sid).recordings).toHaveLength(2);
    exchange.complete(reservation);
    expect(task.status).toBe('wrapping');
    exchange.complete(second());
    expect(task.status).toBe('completed');
  });

  test('that is warm has three in the conference until one leaves', () => {
    const { task, reservation } = answered();
    exchange.transfer(reservation, workers[1]!, 'WARM');
    exchange.accept(second(), recorded);
    expect(look(task.sid).legs.filter(({ participant }) => participant === 'connected')).toHaveLength(3);
    exchange.hangUp(reservation);
    expect(look(task.sid).conference!.status).toBe('in-progress');
    exchange.hangUp(second());
    expect(look(task.sid).conference!.status).toBe('completed');
  });

  test.each([
    ['before it is answered', false, 'rescinded'],
    ['after', true, 'wrapping'],
  ])('can be called off %s', (_when, accepted, status) => {
    const { task, reservation } = answered();
    const transfer = exchange.transfer(reservation, workers[1]!, 'WARM');
    if (accepted) exchange.accept(second(), {});
    exchange.cancelTransfer(transfer);
    expect(second().status).toBe(status);
    expect(reservation.status).toBe('accepted');
    expect(look(task.sid).conference!.status).toBe('in-progress');
    expect(heard).toContain('transfer.transfer-canceled');
  });

  test('that is rejected has failed', () => {
    const { reservation } = answered();
    const transfer = exchange.transfer(reservation, 'WQ1', 'WARM');
    exchange.reject(second());
    expect([transfer.status, heard.includes('transfer.transfer-failed')]).toEqual(['failed', true]);
  });
});

test('an outbound task has neither call nor conference in its attributes; the customer joins on answering', async () => {
  const { task, reservation, customerCall } = ring({ direction: 'outbound' });
  expect(customerCall).toBeUndefined();
  exchange.accept(reservation, {});
  expect(look(task.sid).legs).toHaveLength(1);
  await until(() => look(task.sid).legs.some(({ label }) => label === 'customer'));
  expect(look(task.sid).task.attributes).not.toHaveProperty('conference');
  expect(look(task.sid).task.attributes).not.toHaveProperty('call_sid');
});

test('an internal call goes to a colleague and says so', () => {
  const { task } = ring({ direction: 'internal' });
  expect(look(task.sid).task.attributes).toMatchObject({
    client_call: true,
    outbound_to: 'client:bruno_40northwind_2Eexample',
  });
});

test('a chat has no calls', () => {
  const { task, reservation } = ring({ channel: 'chat' });
  exchange.accept(reservation, {});
  exchange.complete(reservation);
  expect([task.status, world.calls.size, world.conferences.size]).toEqual(['completed', 0, 0]);
});
