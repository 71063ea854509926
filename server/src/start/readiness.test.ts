import { createStore, type Store } from '@flex-custody/vault';
import { FakeS3, refuse, type S3Request } from '../../../packages/vault/test/fake-s3.ts';
import { fresh, mayUse } from './readiness.ts';

const s3 = new FakeS3();
let store: Store;
beforeAll(async () => {
  store = createStore(await s3.start());
});
afterAll(() => {
  store.close();
  s3.stop();
});
beforeEach(() => s3.reset());

const answer = (status: number, code: string, which: (request: S3Request) => boolean) => {
  s3.fault = (request, response) => {
    if (!which(request)) return false;
    refuse(response, status, code);
    return true;
  };
};

test('each role needs its own rights: to read, or to write as well', async () => {
  answer(403, 'AccessDenied', ({ method }) => method === 'POST' || method === 'PUT');
  await mayUse(store, false);
  await expect(mayUse(store, true)).rejects.toMatchObject({ code: 'store_denied' });
  answer(403, 'AccessDenied', ({ method }) => method === 'HEAD');
  for (const works of [false, true]) {
    await expect(mayUse(store, works)).rejects.toMatchObject({ code: 'store_denied' });
  }
});

test('a bucket that is not there is ready for nobody', async () => {
  answer(404, 'NoSuchBucket', () => true);
  await expect(mayUse(store, false)).rejects.toMatchObject({ code: 'store_denied' });
});

test('the probe reads and leaves nothing', async () => {
  await mayUse(store, true);
  expect([...s3.objects.keys(), ...s3.uploads.keys()]).toEqual([]);
});

test('a good answer is kept for half a minute, a bad one for two seconds, whatever the time of day', async () => {
  const now = jest.spyOn(performance, 'now').mockReturnValue(0);
  let asked = 0;
  let away = false;
  const check = fresh(async () => {
    asked += 1;
    if (away) throw new Error('away');
  });
  await check();
  away = true;
  now.mockReturnValue(30_000);
  await check();
  expect(asked).toBe(1);
  now.mockReturnValue(30_001);
  await expect(check()).rejects.toThrow('away');
  now.mockReturnValue(32_002);
  await expect(check()).rejects.toThrow('away');
  expect(asked).toBe(3);
  now.mockRestore();
});
