import { CustodyError } from '@flex-custody/core';
import { readPolicy } from '../retention/policy.ts';
import { checkQueues, queueText } from './policy-queues.ts';

const policy = (rules: string) => readPolicy(`version: 1\nkeep: {rules: ${rules}}`);
const rules = policy('[{queue: [Sales, "Ru\u0308ckfragen "], days: 5}, {queue: [Legal, SALES], days: 9}]');
const queues = (names: string[] | undefined) => () => ({ taskQueues: async () => names });

test('a queue that the workspace has not is named once; form, case and blanks make no difference', async () => {
  const check = await checkQueues(rules, queues(['Everyone', 'sales', 'Rückfragen']));
  expect(check).toEqual({ compared: true, unknown: ['Legal'] });
  expect(queueText(check)).toEqual([
    'Warning: TaskRouter has no queue Legal: a rule for it matches no call.',
  ]);
});

test.each([
  ['Twilio is away', () => Promise.reject(new CustodyError('twilio_unavailable', 'x')), /does not answer/],
  ['there is no such workspace', async () => undefined, /TWILIO_WORKSPACE_SID/],
  ['there is no environment', () => Promise.reject(new CustodyError('config_invalid', 'x')), /not set here/],
])('where %s it says that nothing was compared', async (_what, taskQueues, says) => {
  const check = await checkQueues(rules, () => ({ taskQueues }));
  expect(check).toMatchObject({ compared: false });
  expect(queueText(check)).toEqual([expect.stringMatching(says)]);
});

test('rules without queues ask nobody', async () => {
  const connect = jest.fn();
  expect(await checkQueues(policy('[{direction: inbound, days: 5}]'), connect)).toMatchObject({
    compared: true,
  });
  expect(connect).not.toHaveBeenCalled();
});
