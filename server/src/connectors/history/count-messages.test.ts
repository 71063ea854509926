import { CustodyError, type ErrorCode } from '@flex-custody/core';
import { countMessages, type DueMessages } from './count-messages.ts';

const CH = (n: number) => `CH${n.toString(16).padStart(32, '0')}`;
const due = (n: number): DueMessages => ({ custodyId: `id ${n}`, conversationSid: CH(n) });

/** @param answers by the conversation's number: how many messages, none of a conversation that is gone, or an error */
function scene(
  waiting: DueMessages[],
  answers: Readonly<Record<string, number | ErrorCode>>,
  during = () => {},
) {
  const noted: (readonly { custodyId: string; messages: number | undefined }[])[] = [];
  const warned: object[] = [];
  const asked: string[] = [];
  const stop = new AbortController();
  const run = () =>
    countMessages(
      {
        messages: {
          take: async (most) => waiting.splice(0, Math.min(most, 2)),
          note: async (counts) => void noted.push(counts),
        },
        twilio: {
          async messageCount(sid) {
            asked.push(sid);
            during();
            const answer = answers[sid];
            if (typeof answer === 'string') throw new CustodyError(answer, 'of +34600');
            return answer === undefined
              ? undefined
              : { messages: answer, byCustomer: 1, byAgent: answer - 1 };
          },
        },
        log: { warn: (fields, message) => void warned.push({ ...fields, message }) },
      },
      stop.signal,
    );
  return { run, noted, warned, asked, stop };
}

test('each conversation that is due is counted, batch after batch', async () => {
  const { run, noted, asked } = scene([due(1), due(2), due(3)], { [CH(1)]: 4, [CH(2)]: 7, [CH(3)]: 1 });
  await run();
  expect(asked).toEqual([CH(1), CH(2), CH(3)]);
  expect(noted).toEqual([
    [
      { custodyId: 'id 1', messages: 4 },
      { custodyId: 'id 2', messages: 7 },
    ],
    [{ custodyId: 'id 3', messages: 1 }],
  ]);
});

test('one that is gone, or is no conversation, is not asked for again', async () => {
  const { run, noted, asked } = scene([due(1), { custodyId: 'id 2', conversationSid: 'CH2' }], {});
  await run();
  expect(asked).toEqual([CH(1)]);
  expect(noted).toEqual([
    [
      { custodyId: 'id 1', messages: undefined },
      { custodyId: 'id 2', messages: undefined },
    ],
  ]);
});

test('one that fails for now stays due, one that is refused does not, and the log has neither of their contents', async () => {
  const { run, noted, warned } = scene([due(1), due(2), due(3)], {
    [CH(1)]: 'twilio_unavailable',
    [CH(2)]: 2,
    [CH(3)]: 'twilio_refused',
  });
  await run();
  expect(noted).toEqual([[{ custodyId: 'id 2', messages: 2 }], [{ custodyId: 'id 3', messages: undefined }]]);
  expect(warned).toHaveLength(2);
  expect(JSON.stringify(warned)).not.toContain('+34600');
});

test('where nothing succeeds no more is asked for now', async () => {
  const away = 'twilio_unavailable';
  const { run, asked } = scene([due(1), due(2), due(3)], { [CH(1)]: away, [CH(2)]: away, [CH(3)]: 3 });
  await run();
  expect(asked).toEqual([CH(1), CH(2)]);
});

test('a process that ends notes nothing that it did not count', async () => {
  const { run, noted, stop } = scene([due(1), due(2)], { [CH(1)]: 'twilio_unavailable' }, () =>
    stop.abort(new Error('the end')),
  );
  await expect(run()).rejects.toThrow('the end');
  expect(noted).toEqual([]);
});
