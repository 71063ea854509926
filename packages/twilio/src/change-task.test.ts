import {
  asReservationSid,
  asTaskSid,
  asWorkerSid,
  mergeMediaLink,
  type TaskMark,
  taskAttributesLimit,
  type VoiceRecordingEntry,
  withMeasures,
} from '@flex-custody/core';
import { changeTask, changeTaskMark } from './change-task.ts';

const sid = asTaskSid(`WT${'1'.repeat(32)}`)!;
const by = asWorkerSid(`WK${'2'.repeat(32)}`)!;
const noWait = async () => undefined;

/** One task as TaskRouter keeps it; `meanwhile` writes between our reading and our writing. */
function scene(
  attributes: string | undefined,
  meanwhile: (write: (text: string) => void) => void = () => undefined,
) {
  const task = { attributes, version: 1, writes: 0 };
  const write = (text: string) => {
    task.attributes = text;
    task.version += 1;
  };
  const twilio = {
    async task() {
      if (task.attributes === undefined) return undefined;
      return { sid, attributes: task.attributes, etag: `${task.version}`, dateUpdated: new Date() };
    },
    async updateTask(_sid: string, text: string, etag: string) {
      meanwhile(write);
      if (task.attributes === undefined) return 'gone' as const;
      if (etag !== `${task.version}`) return 'changed' as const;
      write(text);
      task.writes += 1;
      return 'ok' as const;
    },
  };
  return { task, twilio, attributes: () => JSON.parse(task.attributes ?? '{}') as object };
}

const paused = (since: number) => (mark: TaskMark) =>
  mark.paused ? mark : { ...mark, paused: { since, by } };

test('the mark is set beside what others wrote', async () => {
  const { twilio, attributes } = scene('{"a":1}');
  expect(await changeTaskMark(twilio, sid, paused(5))).toEqual({
    changed: 'written',
    before: {},
    mark: { paused: { since: 5, by } },
  });
  expect(attributes()).toEqual({ a: 1, flex_custody: { paused: { since: 5, by } } });
});

test('a mark that is as it shall be is not written again, and is told', async () => {
  const { task, twilio } = scene(`{"flex_custody":{"paused":{"since":3,"by":"${by}"}}}`);
  expect(await changeTaskMark(twilio, sid, paused(5))).toMatchObject({
    changed: 'same',
    mark: { paused: { since: 3 } },
  });
  expect(task.writes).toBe(0);
});

test('what somebody wrote in between is read and kept', async () => {
  let others = 2;
  const { twilio, attributes } = scene('{"a":1}', (write) => {
    if (others-- > 0) write(`{"a":${10 - others}}`);
  });
  expect(await changeTaskMark(twilio, sid, paused(5), noWait)).toMatchObject({ changed: 'written' });
  expect(attributes()).toMatchObject({ a: 10, flex_custody: { paused: { since: 5 } } });
});

test('a mark that somebody else set in between wins', async () => {
  let others = 1;
  const { twilio } = scene('{}', (write) => {
    if (others-- > 0) write(`{"flex_custody":{"paused":{"since":4,"by":"${by}"}}}`);
  });
  expect(await changeTaskMark(twilio, sid, paused(5), noWait)).toEqual({
    changed: 'same',
    before: { paused: { since: 4, by } },
    mark: { paused: { since: 4, by } },
  });
});

test('an emptied mark leaves nothing behind', async () => {
  const { twilio, attributes } = scene(`{"a":1,"flex_custody":{"paused":{"since":3,"by":"${by}"}}}`);
  await changeTaskMark(twilio, sid, ({ paused: _, ...rest }) => rest);
  expect(attributes()).toEqual({ a: 1 });
});

test.each([
  ['gone', undefined],
  ['unreadable', '[]'],
  ['unreadable', '{'],
  ['full', JSON.stringify({ pad: 'x'.repeat(taskAttributesLimit - '{"pad":""}'.length) })],
] as const)('%s: nothing is written, and no mark told', async (changed, attributes) => {
  const { task, twilio } = scene(attributes);
  const answer = await changeTaskMark(twilio, sid, paused(5));
  expect(answer.changed).toBe(changed);
  expect(answer.mark).toBeUndefined();
  expect(task.writes).toBe(0);
});

test('gone between reading and writing', async () => {
  const { task, twilio } = scene('{}', () => {
    task.attributes = undefined;
  });
  expect(await changeTask(twilio, sid, () => [[{ path: ['b'], value: 1 }]])).toBe('gone');
});

test('somebody who never stops writing is given way to, after waiting longer and longer', async () => {
  const waits: number[] = [];
  jest.spyOn(Math, 'random').mockReturnValue(1);
  const { twilio } = scene('{}', (write) => write('{"z":1}'));
  const wait = async (ms: number) => void waits.push(ms);
  expect(await changeTask(twilio, sid, () => [[{ path: ['b'], value: 1 }]], wait)).toBe('contended');
  expect(waits).toEqual([50, 100, 200, 400, 400]);
  jest.restoreAllMocks();
});

describe("a document that is not ours keeps each other member's text", () => {
  const theirs = '{"crm_id":12345678901234567890,"amount":1.10,"case":9007199254740993}';
  const spaced = `{ "crm_id" : 12345678901234567890,\n\t"n\\u0061me":"\\u00e9\\/",  "amount":1.10, "a":1, "a":2.50 }`;
  const entry: VoiceRecordingEntry = {
    type: 'VoiceRecording',
    url_provider: `https://custody.example/url-provider?recording=RE${'1'.repeat(32)}`,
    start_time: 10,
  };
  const before = (text: string) => text.slice(0, text.lastIndexOf('}')).trimEnd();

  test.each([theirs, spaced])('a mark: %s', async (text) => {
    const { task, twilio, attributes } = scene(text);
    await changeTaskMark(twilio, sid, paused(5));
    expect(task.attributes?.startsWith(before(text))).toBe(true);
    expect(attributes()).toMatchObject({ flex_custody: { paused: { since: 5, by } } });
    await changeTaskMark(twilio, sid, ({ paused: _, ...rest }) => rest);
    expect(task.attributes).toBe(text);
  });

  test.each([theirs, spaced])('a link: %s', async (text) => {
    const { task, twilio, attributes } = scene(text);
    expect(await changeTask(twilio, sid, (found) => mergeMediaLink(found, { entry }))).toBe('written');
    expect(task.attributes?.startsWith(before(text))).toBe(true);
    expect(attributes()).toMatchObject({ conversations: { media: [entry] } });
  });

  test.each([theirs, spaced])('measures: %s', async (text) => {
    const { task, twilio, attributes } = scene(text);
    const write = () => changeTask(twilio, sid, () => [withMeasures({ 1: 12.5, 3: 2 })]);
    expect(await write()).toBe('written');
    expect(task.attributes?.startsWith(before(text))).toBe(true);
    expect(attributes()).toMatchObject({
      conversations: { conversation_measure_1: 12.5, conversation_measure_3: 2 },
    });
    expect(await write()).toBe('same');
  });

  test("another's media entries, and what is beside them", async () => {
    const reservationSid = asReservationSid(`WR${'3'.repeat(32)}`)!;
    const raw = '{"type" : "Raw", "ref":12345678901234567890}';
    const voice = '{"type":"VoiceRecording","start_time":1e3, "w":1.0}';
    const { task, twilio, attributes } = scene(
      `{"reservation_attributes":{"${reservationSid}":{"media":[${raw}, ${voice}],"n":2.0}}}`,
    );
    await changeTask(twilio, sid, (found) => mergeMediaLink(found, { entry, reservationSid }));
    expect(task.attributes).toContain(raw);
    expect(task.attributes).toContain(voice);
    expect(task.attributes).toContain('"n":2.0}');
    expect(attributes()).toMatchObject({
      reservation_attributes: {
        [reservationSid]: { media: [entry, { type: 'VoiceRecording' }, { type: 'Raw' }] },
      },
    });
  });

  test('what another wrote meanwhile is edited as he wrote it', async () => {
    let others = 1;
    const { task, twilio } = scene('{"n":1}', (write) => {
      if (others-- > 0) write('{"n": 12345678901234567890}');
    });
    await changeTaskMark(twilio, sid, paused(5), noWait);
    expect(task.attributes).toMatch(/^\{"n": 12345678901234567890,"flex_custody":/);
  });
});

describe('near the limit', () => {
  const entry: VoiceRecordingEntry = {
    type: 'VoiceRecording',
    url_provider: `https://custody.example/url-provider?recording=RE${'1'.repeat(32)}`,
    start_time: 10,
    channels: ['customer', 'others'],
    title: 'Recording',
  };
  const { title: _t, ...untitled } = entry;
  const { channels: _c, ...bare } = untitled;
  const segmentLink = `https://custody.example/segment?token=${'t'.repeat(200)}`;
  /** A document that `conversations` fills up to `over` characters past the limit. */
  const room = (conversations: object, over: number, space = '') => {
    const rest = `{"big":12345678901234567890,${space}"pad":""}`;
    const whole = rest.length - space.length + JSON.stringify({ conversations }).length - 1;
    return rest.replace('""', `"${'x'.repeat(taskAttributesLimit + over - whole)}"`);
  };
  const link = (text: string, legacy?: string) => {
    const set = scene(text);
    const merge = (found: object) =>
      mergeMediaLink({ ...found }, { entry, ...(legacy && { segmentLink: legacy }) });
    return { ...set, done: changeTask(set.twilio, sid, merge) };
  };

  test.each([
    ['all of it', { media: [entry] }, undefined],
    ['no title', { media: [untitled] }, undefined],
    ['no channels either', { media: [bare] }, undefined],
    ['the legacy link too', { media: [untitled], segment_link: segmentLink }, segmentLink],
    ['no legacy link', { media: [untitled] }, segmentLink],
  ])('%s, to the last character', async (_what, conversations, legacy) => {
    const { task, attributes, done } = link(room(conversations, 0), legacy);
    expect(await done).toBe('written');
    expect(task.attributes).toHaveLength(taskAttributesLimit);
    expect(task.attributes).toContain('"big":12345678901234567890,');
    expect(attributes()).toMatchObject({ conversations });
    expect(Object.keys(attributes())).toEqual(['big', 'pad', 'conversations']);
  });

  test('white space is dropped before anything of ours is left out', async () => {
    const text = room({ media: [entry] }, 0, ' \n\t ');
    const { task, attributes, done } = link(text);
    expect(await done).toBe('written');
    expect(task.attributes).toHaveLength(taskAttributesLimit);
    expect(task.attributes).toContain('"big":12345678901234567890,"pad"');
    expect(attributes()).toMatchObject({ conversations: { media: [entry] } });
  });

  test('one character more than the slimmest way has is full', async () => {
    const { task, done } = link(room({ media: [bare] }, 1));
    expect(await done).toBe('full');
    expect(task.writes).toBe(0);
  });
});
