import { join } from 'node:path';
import type { Courier } from '../callbacks.ts';
import { createEventLog } from '../events.ts';
import type { Exchange } from '../live/contract.ts';
import { createExchange } from '../live/exchange.ts';
import { createLegs } from '../live/legs.ts';
import { type Media, openMediaFile } from '../media.ts';
import { createWorld, type World } from '../world.ts';
import type { AgentEvent } from './list.ts';
import { type StoryName, type StoryOptions, stories, tellStory } from './stories.ts';
import { watchLiveCalls } from './watch.ts';

let dialogue: Media;
let world: World;
let exchange: Exchange;
let stop: () => void;

beforeAll(async () => {
  dialogue = await openMediaFile(join(process.cwd(), 'sandbox/media/dialogue.wav'));
});
afterAll(() => dialogue.close());
beforeEach(() => {
  world = createWorld();
  const events = createEventLog();
  const courier: Courier = { deliver: async () => [], deliveries: () => [], close: () => undefined };
  const legs = createLegs({ world, events, courier, dialogue, functions: [] });
  exchange = createExchange({ world, events, legs });
  stop = watchLiveCalls({ world, events, exchange });
});
afterEach(() => {
  stop();
  exchange.close();
});

const play = (story: StoryName, more: Partial<StoryOptions> = {}): readonly AgentEvent[] => {
  const lasts = { waitSeconds: 10, talkSeconds: 60, holdSeconds: 1_860, open: false, queue: 'Everyone' };
  return world.agentEvents.ofTask(tellStory({ world, exchange }, { story, ...lasts, ...more }).sid);
};
const parameters = (event: AgentEvent) =>
  (event.data?.['request'] as { parameters: Record<string, string> } | undefined)?.parameters ?? {};
const nameOf = (event: AgentEvent) =>
  parameters(event)['StatusCallbackEvent'] ??
  event.type.replace(/^com\.twilio\.(taskrouter\.|voice\.(status-callback\.)?)?/, '');
const names = (events: readonly AgentEvent[]) => events.map(nameOf);
const at = (events: readonly AgentEvent[], name: string) => {
  const found = events.find((one) => nameOf(one) === name);
  if (!found) throw new Error(`no ${name} among ${names(events)}`);
  return found.at.getTime() / 1_000;
};

test('an answered call, from the caller’s ring to the completed task', () => {
  const events = play('answered');
  expect(names(events)).toEqual([
    ...['call.initiated', 'call.ringing', 'call.answered', 'task.created', 'workflow.entered'],
    ...['task-queue.entered', 'workflow.target-matched', 'reservation.created'],
    ...[
      'reservation.accepted',
      'twiml.enqueue.finished',
      'task.updated',
      'conference-start',
      'participant-join',
    ],
    ...['call.initiated', 'call.answered', 'participant-join'],
    ...['participant-leave', 'call.completed', 'participant-leave', 'call.completed', 'conference-end'],
    ...['reservation.wrapup', 'task.wrapup', 'reservation.completed', 'task.completed'],
  ]);
  expect(at(events, 'reservation.accepted') - at(events, 'task.created')).toBeCloseTo(10);
  expect(at(events, 'conference-end') - at(events, 'reservation.accepted')).toBeCloseTo(60);
  expect(at(events, 'task.completed') * 1_000).toBeLessThanOrEqual(Date.now());
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
});

test('each TaskRouter event says what it is about', () => {
  const accepted = play('answered').find(({ taskRouter }) => taskRouter?.type === 'reservation.accepted');
  const [worker] = world.workers.values();
  expect(accepted?.taskRouter).toMatchObject({
    resource: { sid: expect.stringMatching(/^WR/), type: 'reservation' },
    payload: { worker_sid: worker?.sid, task_assignment_status: 'assigned', task_queue_name: 'Everyone' },
  });
  const { task_attributes: attributes } = accepted?.taskRouter?.payload ?? {};
  expect(JSON.parse(attributes ?? '')).toHaveProperty('conference.sid');
});

test('a hold of 31 minutes, over or still lasting, at once', () => {
  const over = play('hold');
  expect(at(over, 'participant-unhold') - at(over, 'participant-hold')).toBeCloseTo(1_860);
  const lasting = play('hold', { open: true });
  expect(names(lasting)).not.toContain('participant-unhold');
  expect(names(lasting)).not.toContain('reservation.wrapup');
  expect(Date.now() / 1_000 - at(lasting, 'participant-hold')).toBeGreaterThanOrEqual(1_860);
  const held = [...world.conferences.values()].at(-1)?.participants.filter(({ hold }) => hold);
  expect(held).toMatchObject([{ label: 'customer' }]);
});

test('a hold is reported by its status callback and by the request to the API', () => {
  const modified = play('hold').filter(({ type }) => type.endsWith('conference-participant.modified'));
  expect(modified.map((event) => parameters(event)['Hold'])).toEqual(['true', 'false']);
  const { url } = (modified[0]?.data?.['request'] ?? {}) as { url?: string };
  const customer = [...world.conferences.values()].at(-1)?.participants[0]?.callSid;
  expect(url).toContain(`/Participants/${customer}.json`);
});

test('the caller’s wait ends once, when an agent accepts or the caller hangs up', () => {
  const waits = (story: StoryName) =>
    play(story).flatMap((event) => {
      const { QueueResult: result, QueueTime: seconds } = parameters(event);
      return result === undefined ? [] : [[result, seconds]];
    });
  expect(waits('cold-transfer')).toEqual([['bridged', '10']]);
  expect(waits('abandoned')).toEqual([['hangup', '10']]);
  expect(waits('outbound')).toEqual([]);
});

test('a conference’s events are numbered one by one', () => {
  const numbers = play('warm-transfer').flatMap((event) =>
    parameters(event)['ConferenceSid'] === undefined ? [] : Number(parameters(event)['SequenceNumber']),
  );
  expect(numbers).toEqual(numbers.map((_, before) => before + 1));
  expect(numbers.length).toBeGreaterThan(6);
});

test.each([
  ['abandoned', ['task.canceled', 'reservation.canceled', 'call.completed'], ['reservation.accepted']],
  ['rejected', ['reservation.rejected', 'task-queue.moved', 'reservation.accepted'], ['task.canceled']],
  [
    'cold-transfer',
    ['task.transfer-initiated', 'participant-hold', 'participant-unhold', 'task.transfer-completed'],
    ['task.canceled'],
  ],
  ['warm-transfer', ['task.transfer-initiated', 'task.transfer-completed'], ['participant-hold']],
  ['outbound', ['reservation.accepted', 'participant-join', 'task.completed'], ['task.canceled']],
  [
    'chat',
    ['conversations.conversation.added', 'conversations.conversation-state.updated'],
    ['participant-join'],
  ],
] as const)('%s', (story, contains, lacks) => {
  const found = names(play(story));
  expect(found).toEqual(expect.arrayContaining([...contains]));
  for (const one of lacks) expect(found).not.toContain(one);
});

test('both agents of a transfer wrap up, and everything is over', () => {
  for (const story of stories.filter((one) => one !== 'abandoned')) {
    const events = play(story);
    expect(names(events).at(-1)).toMatch(/^task\.completed$|conversation-state/);
    const of = (name: string) => names(events).filter((one) => one === name).length;
    expect(of('reservation.completed')).toBe(of('reservation.accepted'));
  }
});
