import type { CallerKeys } from '../../catalog/recording-row.ts';
import { callerKeyId } from '../../custody/caller-secret.ts';
import type { Health } from '../../http/operators/health.ts';
import { callers } from './callers.ts';
import type { Scene } from './scene.ts';

const callerSecret = Buffer.alloc(32, 5).toString('base64');
const keyId = callerKeyId(callerSecret);
const look = (found: CallerKeys | undefined, secret: string | undefined = callerSecret) =>
  callers({
    config: { ...(secret !== '' && { callerSecret: secret }) },
    health: async () => ({ work: { callers: found } }) as Health,
  } as Scene);

test("callers under today's secret are as they should be", async () => {
  expect(await look({ keys: [{ keyId, recordings: 7 }], none: 2 })).toBe('7 known, 2 not');
  expect(await look({ keys: [], none: 2 }, '')).toBe('0 known, 2 not');
  expect(await look(undefined)).toBe('not known yet');
});

test('those under another one are counted, and the secret is to be restored', async () => {
  const keys = [
    { keyId, recordings: 7 },
    { keyId: 'k00000001', recordings: 3 },
    { keyId: 'k00000002', recordings: 1 },
  ];
  await expect(look({ keys, none: 0 })).rejects.toMatchObject({
    detail: expect.stringMatching(
      /^4 recordings have their caller under another secret \(k00000001, k00000002\)/,
    ),
    next: expect.stringContaining('restore the CUSTODY_CALLER_SECRET'),
  });
  await expect(look({ keys, none: 0 }, '')).rejects.toThrow(`11 recordings`);
});

test('those that name none wait for an operator who knows', async () => {
  const keys = [{ keyId, recordings: 7 }, { recordings: 3 }];
  await expect(look({ keys, none: 0 })).rejects.toMatchObject({
    detail: expect.stringMatching(/^3 recordings have a caller that an earlier release stored/),
    next: expect.stringContaining('adopt-database --same-caller-secret'),
  });
});
