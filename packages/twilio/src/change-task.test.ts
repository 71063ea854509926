import { asTaskSid, asWorkerSid, type TaskMark, taskAttributesLimit } from '@flex-custody/core';
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
  expect(await changeTask(twilio, sid, () => ({ text: '{"b":1}' }))).toBe('gone');
});

test('somebody who never stops writing is given way to, after waiting longer and longer', async () => {
  const waits: number[] = [];
  jest.spyOn(Math, 'random').mockReturnValue(1);
  const { twilio } = scene('{}', (write) => write('{"z":1}'));
  const wait = async (ms: number) => void waits.push(ms);
  expect(await changeTask(twilio, sid, () => ({ text: '{}' }), wait)).toBe('contended');
  expect(waits).toEqual([50, 100, 200, 400, 400]);
  jest.restoreAllMocks();
});
