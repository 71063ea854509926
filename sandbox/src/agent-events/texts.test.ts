import { join } from 'node:path';
import type { Courier } from '../callbacks.ts';
import { messageMark } from '../conversations.ts';
import { createEventLog } from '../events.ts';
import type { Exchange } from '../live/contract.ts';
import { createExchange } from '../live/exchange.ts';
import { createLegs } from '../live/legs.ts';
import { type Media, openMediaFile } from '../media.ts';
import { createWorld, type World } from '../world.ts';
import { answerSurvey } from './surveys.ts';
import { type TextOptions, tellText } from './texts.ts';
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

const play = (more: Partial<TextOptions> = {}) => {
  const options: TextOptions = {
    channel: 'whatsapp',
    address: '+4915550100143',
    name: 'Erik Ek',
    messages: 5,
    waitSeconds: 10,
    talkSeconds: 100,
    abandoned: false,
    queue: 'Everyone',
    attributes: {},
    ...more,
  };
  return tellText({ world, exchange }, options);
};
const attributesOf = (text: string) => JSON.parse(text) as Record<string, unknown>;
const conversation = () => {
  const [only, ...more] = world.conversations.values();
  if (!only || more.length > 0) throw new Error('there is not one conversation');
  return only;
};
const namesOf = (task: string) =>
  world.agentEvents.ofTask(task).map(({ type }) => type.replace(/^com\.twilio\.(taskrouter\.)?/, ''));

test('a conversation in WhatsApp: its task, its messages by both, and its end', () => {
  const { task, survey } = play();
  expect(survey).toBeUndefined();
  expect(attributesOf(task.attributes)).toMatchObject({
    channelType: 'whatsapp',
    customerAddress: 'whatsapp:+4915550100143',
    conversationSid: conversation().sid,
    flexInteractionSid: expect.stringMatching(/^KD[0-9a-f]{32}$/),
  });
  const { state, participants, messages, createdAt, updatedAt } = conversation();
  expect([state, (updatedAt.getTime() - createdAt.getTime()) / 1_000]).toEqual(['closed', 110]);
  expect(participants.map(({ identity, binding }) => identity ?? binding?.address)).toEqual([
    'whatsapp:+4915550100143',
    'alice_40northwind_2Eexample',
  ]);
  expect(messages).toHaveLength(5);
  expect(new Set(messages.map(({ author }) => author)).size).toBe(2);
  expect(namesOf(task.sid)).toEqual(
    expect.arrayContaining(['conversations.conversation.added', 'reservation.accepted', 'task.completed']),
  );
  expect(namesOf(task.sid).at(-1)).toBe('conversations.conversation-state.updated');
});

test('no event says what was written', () => {
  play({ csat: 4 });
  expect(conversation().messages[0]?.body).toContain(messageMark);
  expect(JSON.stringify(world.agentEvents.all())).not.toContain(messageMark);
});

test('who leaves before an agent answers has canceled the task, and the conversation is closed', () => {
  const { task } = play({ channel: 'webchat', address: 'visitor-1', abandoned: true, messages: 1 });
  expect(namesOf(task.sid)).toEqual(expect.arrayContaining(['reservation.canceled', 'task.canceled']));
  expect(namesOf(task.sid)).not.toContain('reservation.accepted');
  expect(conversation()).toMatchObject({
    state: 'closed',
    participants: [{ identity: 'visitor-1', binding: null }],
  });
  expect(conversation().messages).toHaveLength(1);
});

test('a survey is a task of its own, which gets the answer after it was made, and ends as canceled', () => {
  const { task, survey } = play({ csat: 4 });
  const events = world.agentEvents.ofTask(survey?.sid ?? '').flatMap(({ taskRouter }) => taskRouter ?? []);
  expect(events.map(({ type }) => type)).toEqual([
    'task.created',
    'task-queue.entered',
    'task.updated',
    'task.canceled',
  ]);
  const said = events.map(({ payload }) => attributesOf(payload['task_attributes'] ?? '')['conversations']);
  expect(said[0]).toEqual({ conversation_id: task.sid, kind: 'Survey', virtual: 'Yes' });
  expect(said.at(-1)).toMatchObject({ conversation_id: task.sid, conversation_measure_1: 4 });
  expect(events.at(-1)?.payload).toMatchObject({ task_canceled_reason: 'CSAT saved' });
  const [ended, answered] = [task, survey].map((one) => one?.updatedAt.getTime() ?? 0);
  expect(answered).toBeGreaterThanOrEqual(ended ?? 0);
});

test('a survey may be about a call', () => {
  const { task } = exchange.ring({
    direction: 'inbound',
    channel: 'voice',
    worker: [...world.workers.keys()][0] ?? '',
    queue: 'Everyone',
    attributes: {},
  });
  const survey = answerSurvey(world, { about: task, score: 2 });
  expect(attributesOf(survey.attributes)).toMatchObject({
    isSurveyTask: true,
    conversations: { conversation_id: task.sid },
  });
});
