import type { Delivery } from '../api/host';
import { call } from '../testing';
import { afterComplete, againMs, type CompletePayload } from './complete';

const { taskSid } = call();

function setup(answers: readonly (Delivery | Error)[], known = true) {
  const sent: string[] = [];
  const slept: number[] = [];
  const logged: [string, unknown][] = [];
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const listener = afterComplete({
    taskSidOf: () => (known ? taskSid : undefined),
    async send(sid) {
      const answer = answers[sent.length];
      sent.push(sid);
      if (sent.length === answers.length) setImmediate(end);
      if (answer instanceof Error) throw answer;
      return answer ?? 'refused';
    },
    sleep: async (ms) => void slept.push(ms),
    log: (message, facts) => void logged.push([message, facts]),
  });
  const run = async (payload: CompletePayload = {}) => {
    expect(listener(payload)).toBeUndefined();
    if (answers.length > 0) await ended;
  };
  return { run, sent, slept, logged };
}

test('a completed task is sent once, and nothing waits for the answer', async () => {
  const { run, sent, slept, logged } = setup(['taken']);
  await run();
  expect([sent, slept, logged]).toEqual([[taskSid], [], []]);
});

test('a host that is away is asked once more', async () => {
  const { run, sent, slept, logged } = setup(['later', 'taken']);
  await run();
  expect([sent, slept, logged]).toEqual([[taskSid, taskSid], [againMs], []]);
});

test.each<[string, readonly (Delivery | Error)[]]>([
  ['is away both times', ['later', 'later']],
  ['refuses it', ['refused']],
  ['cannot even be asked', [new Error('broken')]],
])('a host that %s disturbs nothing: the console says so', async (_, answers) => {
  const { run, sent, logged } = setup(answers);
  await run();
  expect(sent).toHaveLength(answers.length);
  expect(logged).toHaveLength(1);
});

test('what names no task is not sent', async () => {
  const { run, sent, logged } = setup([], false);
  await run({ sid: 'WR1' });
  expect([sent, logged]).toEqual([[], []]);
});
