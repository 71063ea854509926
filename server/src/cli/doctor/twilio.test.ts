import { CustodyError } from '@flex-custody/core';
import { note } from './finding.ts';
import type { Scene } from './scene.ts';
import { clock, iam, workspace } from './twilio.ts';

/** IAM refuses what it is asked about after so long. */
function refusing(afterMs: number): Scene {
  const began = performance.now();
  const clock = jest.spyOn(performance, 'now').mockReturnValue(began);
  const validate = async () => {
    clock.mockReturnValue(began + afterMs);
    throw new CustodyError('token_refused', 'no');
  };
  return { flexTokens: { validate }, options: {} } as unknown as Scene;
}
afterEach(() => jest.restoreAllMocks());

test('an IAM that answers later than the host would wait for it is worth a note', async () => {
  expect(await iam(refusing(2_900))).toBe('answers, and refuses a false Flex token');
  expect(await iam(refusing(3_100))).toEqual(
    note(
      'answers, and refuses a false Flex token, but took longer than the 3 s that the host waits',
      expect.stringContaining('iam.twilio.com') as string,
    ),
  );
});

test('the clock is held against whoever tells the time', async () => {
  const ahead = (twilio?: number, s3?: number) =>
    ({
      account: async () => ({ aheadMs: twilio }),
      bucket: async () => ({ aheadMs: s3 }),
    }) as unknown as Scene;
  expect(await clock(ahead(-100, 100))).toBe('within 30 s of Twilio and S3');
  expect(await clock(ahead(-100))).toBe('within 30 s of Twilio');
  await expect(clock(ahead(-100, -31_000))).rejects.toMatchObject({
    detail: 'this clock is 31 s ahead of S3',
  });
});

test('a workspace that Flex says nothing of is not taken for its own', async () => {
  const of = {
    config: {},
    twilio: { workspace: async () => ({ friendlyName: 'W' }) },
    flex: () => Promise.reject(new Error('no')),
  } as unknown as Scene;
  expect(await workspace(of)).toMatchObject({ detail: expect.stringMatching(/^W; /) });
});
