import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CloudEvent, inForm, received } from '../testing/cloud-event.ts';
import { stories } from '../testing/stories.ts';
import { factOf } from './fact-of.ts';
import { objectIn } from './values.ts';

const folder = join(__dirname, '../testing/fixtures');

/** One event as the webhook's body, and as the text of a Kinesis record. */
interface Fixture {
  webhook: [CloudEvent];
  kinesis: CloudEvent & { data: string };
}

const fixtures = new Map(
  readdirSync(folder).map((name) => [
    `com.twilio.${name.replace(/\.json$/, '')}`,
    JSON.parse(readFileSync(join(folder, name), 'utf8')) as Fixture,
  ]),
);

const sid = (prefix: string, digit: string) => prefix + digit.repeat(32);
const call = sid('CA', '7');
const agentLeg = sid('CA', '8');
const conference = sid('CF', '9');
const task = sid('WT', '2');
const reservation = sid('WR', '3');
const worker = sid('WK', '4');
const at = Date.parse('2026-11-28T14:03:07.412Z');

const ofTask = (name: string, more: object = {}) => ({
  kind: 'task',
  name,
  at,
  taskSid: task,
  channel: 'voice',
  taskCreatedAt: 1_795_874_556_000,
  ...more,
});
const ofReservation = (name: string, more: object = {}) => ({
  kind: 'reservation',
  name,
  at,
  taskSid: task,
  reservationSid: reservation,
  workerSid: worker,
  workerUri: 'client:anna',
  keys: expect.arrayContaining([task, reservation, sid('KD', 'c'), call, agentLeg, conference]),
  traits: expect.objectContaining({ direction: 'inbound', language: 'en-GB', customerCall: call }),
  ...more,
});
const warm = { transfer: { mode: 'WARM', by: reservation } };
const ofQueue = (name: string) => ({
  kind: 'queue',
  name,
  taskSid: task,
  queue: { sid: sid('WQ', '5'), name: 'Support' },
  queueEnteredAt: 1_795_874_575_000,
});
const ofWorker = (name: string) => ({
  kind: 'worker',
  name,
  workerSid: worker,
  activity: 'Available',
  keys: [],
});
const agentCall = (name: string, status: string) => ({
  kind: 'call',
  name,
  status,
  callSid: agentLeg,
  agentUri: 'client:anna',
  direction: 'outbound',
  keys: [agentLeg, call],
});
const oldCall = (name: string, status: string) => ({
  kind: 'call',
  name,
  status,
  callSid: call,
  direction: 'inbound',
});
const bare = (...keys: string[]) => ({ kind: 'bare', keys });
const messaging = (name: string) => ({ kind: 'conversation', name, keys: [sid('CH', 'b')] });

/** What is read of each handled type; null: it concerns no contact. */
const facts: Readonly<Record<string, object | null>> = {
  'taskrouter.task.created': ofTask('created', { status: 'pending', taskVersion: 0 }),
  'taskrouter.task.updated': ofTask('updated', { status: 'assigned', taskVersion: 3 }),
  'taskrouter.task.canceled': ofTask('canceled', { status: 'canceled', reason: 'hangup' }),
  'taskrouter.task.completed': ofTask('completed', { status: 'completed', reason: 'hangup' }),
  'taskrouter.task.wrapup': ofTask('wrapup', { status: 'wrapping' }),
  'taskrouter.task.deleted': ofTask('deleted', { keys: [task] }),
  'taskrouter.task.system-deleted': ofTask('system-deleted', { keys: [task] }),
  'taskrouter.task.transfer-initiated': ofTask('transfer-initiated', warm),
  'taskrouter.task.transfer-completed': ofTask('transfer-completed', warm),
  'taskrouter.task.transfer-failed': ofTask('transfer-failed', warm),
  'taskrouter.task.transfer-canceled': ofTask('transfer-canceled', warm),
  'taskrouter.task.transfer-attempt-failed': ofTask('transfer-attempt-failed', {
    transfer: { mode: 'COLD', by: reservation },
  }),
  'taskrouter.reservation.created': ofReservation('created', { reservationVersion: 0, status: 'reserved' }),
  'taskrouter.reservation.accepted': ofReservation('accepted', { reservationVersion: 1, taskVersion: 2 }),
  'taskrouter.reservation.rejected': ofReservation('rejected'),
  'taskrouter.reservation.timeout': ofReservation('timeout'),
  'taskrouter.reservation.canceled': ofReservation('canceled'),
  'taskrouter.reservation.rescinded': ofReservation('rescinded'),
  'taskrouter.reservation.completed': ofReservation('completed', { reservationVersion: 3 }),
  'taskrouter.reservation.failed': { kind: 'reservation', name: 'failed', keys: [task], taskSid: task },
  'taskrouter.reservation.wrapup': ofReservation('wrapup', { reservationVersion: 2 }),
  'taskrouter.worker.created': ofWorker('created'),
  'taskrouter.worker.deleted': ofWorker('deleted'),
  'taskrouter.worker.activity.update': ofWorker('activity.update'),
  'taskrouter.worker.attributes.update': ofWorker('attributes.update'),
  'taskrouter.worker.capacity.update': ofWorker('capacity.update'),
  'taskrouter.worker.channel.availability.update': ofWorker('channel.availability.update'),
  'taskrouter.task-queue.created': null,
  'taskrouter.task-queue.deleted': null,
  'taskrouter.task-queue.entered': ofQueue('entered'),
  'taskrouter.task-queue.moved': ofQueue('moved'),
  'taskrouter.task-queue.timeout': ofQueue('timeout'),
  'taskrouter.task-queue.expression-updated': null,
  'taskrouter.task-queue.expression.updated': null,
  'taskrouter.workflow.entered': { kind: 'workflow', name: 'entered', taskSid: task },
  'taskrouter.workflow.rejected': { kind: 'workflow', name: 'rejected', taskSid: task },
  'taskrouter.workflow.skipped': { kind: 'workflow', name: 'skipped', taskSid: task },
  'taskrouter.workflow.target-matched': { kind: 'workflow', name: 'target-matched', taskSid: task },
  'taskrouter.workflow.timeout': { kind: 'workflow', name: 'timeout', taskSid: task },
  'apiusage.taskrouter.ratelimits': null,
  'eventstreams.test-event': null,
  'voice.status-callback.call.initiated': agentCall('initiated', 'initiated'),
  'voice.status-callback.call.ringing': agentCall('ringing', 'ringing'),
  'voice.status-callback.call.answered': agentCall('answered', 'in-progress'),
  'voice.status-callback.call.completed': agentCall('completed', 'completed'),
  'voice.webhook.status-callback.call.initiated': oldCall('initiated', 'initiated'),
  'voice.webhook.status-callback.call.ringing': oldCall('ringing', 'ringing'),
  'voice.webhook.status-callback.call.answered': oldCall('answered', 'in-progress'),
  'voice.webhook.status-callback.call.completed': oldCall('completed', 'completed'),
  'voice.status-callback.conference.updated': {
    kind: 'conference',
    name: 'conference-start',
    sequence: 1,
    conferenceSid: conference,
    keys: [conference, task],
  },
  'voice.status-callback.conference.participant.updated': {
    kind: 'conference',
    name: 'participant-hold',
    sequence: 7,
    ofCustomer: true,
    callSid: call,
    hold: false,
    // The envelope came more than a second after it happened.
    at: Date.parse('2026-11-28T14:03:05Z'),
    keys: [call, conference, task],
  },
  'voice.status-callback.recording.processed': {
    kind: 'recording',
    recordingSid: sid('RE', 'd'),
    startedAt: Date.parse('2026-11-28T14:02:36Z'),
    duration: 31,
    keys: [conference, sid('RE', 'd')],
  },
  'voice.status-callback.stream.updated': bare(call),
  'voice.status-callback.transcription.processed': bare(call, sid('RE', 'd')),
  'voice.status-callback.amd.detected': bare(call),
  'voice.status-callback.announcement.processed': bare(call, conference),
  'voice.api-request.conference-participant.created': bare(conference),
  'voice.api-request.conference-participant.modified': {
    kind: 'hold',
    source: 'api-request',
    on: true,
    callSid: call,
    conferenceSid: conference,
  },
  'voice.api-request.conference-participant.deleted': bare(call, conference),
  'voice.api-request.conference.modified': bare(conference),
  'voice.api-request.call.created': null,
  'voice.api-request.call.modified': bare(call),
  'voice.twiml.enqueue.finished': { kind: 'enqueue', callSid: call, queueSeconds: 31, result: 'bridged' },
  'voice.twiml.dial.finished': bare(call, agentLeg),
  'voice.twiml.call.redirected': bare(call),
  'voice.twiml.call.transferred': bare(call),
  'voice.insights.conference-summary.partial': {
    kind: 'summary',
    conferenceSid: conference,
    keys: [conference, task],
  },
  'voice.insights.conference-summary.complete': {
    kind: 'summary',
    endedAt: Date.parse('2026-11-28T14:03:09Z'),
  },
  'voice.insights.conference-participant-summary.complete': { kind: 'summary', keys: [call, conference] },
  'voice.insights.call-summary.partial': { kind: 'summary', callSid: call },
  'voice.insights.call-summary.predicted-complete': { kind: 'summary', callSid: call },
  'voice.insights.call-summary.complete': { kind: 'summary', endedAt: Date.parse('2026-11-28T14:03:09Z') },
  'voice.media.fetched': bare(call, sid('RE', 'd')),
  'conversations.conversation.added': { ...messaging('conversation.added'), state: 'active', language: 'de' },
  'conversations.conversation.removed': { ...messaging('conversation.removed'), state: 'closed' },
  'conversations.conversation.updated': { ...messaging('conversation.updated'), state: 'active' },
  'conversations.conversation-state.updated': { ...messaging('conversation-state.updated'), state: 'closed' },
  'conversations.message.added': messaging('message.added'),
  'conversations.message.removed': messaging('message.removed'),
  'conversations.message.updated': messaging('message.updated'),
  'conversations.participant.added': messaging('participant.added'),
  'conversations.participant.removed': messaging('participant.removed'),
  'conversations.participant.updated': messaging('participant.updated'),
  'conversations.user.added': null,
  'conversations.user.updated': null,
};

test('each handled type has a fixture', () => {
  expect([...fixtures.keys()].sort()).toEqual(
    Object.keys(facts)
      .map((type) => `com.twilio.${type}`)
      .sort(),
  );
});

test.each([...fixtures])('%s', (type, { webhook, kinesis }) => {
  const expected = facts[type.replace('com.twilio.', '')];
  const fact = factOf(received(webhook[0]));
  if (expected) expect(fact).toMatchObject(expected);
  else expect(fact).toBeUndefined();
  expect(typeof webhook[0].data).toBe('object');
  expect(typeof kinesis.data).toBe('string');
  expect(factOf(received(kinesis))).toEqual(fact);
  const payload = objectIn(objectIn(webhook[0].data)['payload']);
  const attributes = { task_attributes: objectIn(payload['task_attributes']) };
  if (payload['task_attributes']) {
    expect(factOf({ ...received(webhook[0]), data: { payload: { ...payload, ...attributes } } })).toEqual(
      fact,
    );
  }
});

test('every field that is null reads as no fact more than an absent one', () => {
  const without = (value: unknown, put: null | undefined): unknown => {
    if (typeof value !== 'object' || value === null) return value === undefined ? undefined : put;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, without(inner, put)]));
  };
  for (const [, { webhook }] of fixtures) {
    const event = received(webhook[0]);
    const blank = (put: null | undefined) => factOf({ ...event, data: without(event.data, put) as never });
    expect(blank(null)).toEqual(blank(undefined));
  }
});

test('the stories read the same in both forms', () => {
  for (const scene of Object.values(stories)) {
    for (const event of scene(1).story.sent) {
      expect(factOf(received(inForm(event, 'kinesis')))).toEqual(factOf(received(event)));
    }
  }
});
