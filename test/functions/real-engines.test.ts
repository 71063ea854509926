import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Stack, startStack } from '../../sandbox/src/stack/index.ts';
import { follow, makeCall } from '../../sandbox/src/stack/journey.ts';
import { describeWhere } from '../support/needs.ts';
import { ownBucket, ownDatabase } from '../support/own-engines.ts';

jest.setTimeout(90_000);

describeWhere('radosgw', 'on radosgw', () => {
  describeWhere('postgresql', 'and PostgreSQL', () => {
    const drops: (() => Promise<void>)[] = [];
    let dataDir: string;
    let stack: Stack;
    let bucket: Awaited<ReturnType<typeof ownBucket>>;

    beforeAll(async () => {
      execFileSync(process.execPath, ['build.mjs']);
      dataDir = mkdtempSync(join(tmpdir(), 'real-'));
      bucket = await ownBucket();
      drops.push(bucket.drop);
      const database = await ownDatabase();
      drops.push(database.drop);
      stack = await startStack({ dataDir, s3: bucket.s3, databaseUrl: database.url });
    });

    afterAll(async () => {
      await stack?.close();
      for (const drop of drops) await drop();
      rmSync(dataDir, { recursive: true, force: true });
    });

    const partBytes = 5 * 1024 * 1024;

    test('nothing of the doubles is in use', () => {
      expect(existsSync(join(dataDir, 'host'))).toBe(false);
      expect(existsSync(join(dataDir, 'sandbox/s3'))).toBe(false);
    });

    test.each([
      ['a minute, by the Function', 60],
      ['ten minutes, in many parts', 600],
    ])('%s: sealed, linked, verified, and played with a seek, byte for byte', async (_, seconds) => {
      const call = await makeCall(stack, { seconds });
      const [recording = ''] = call.recordings;
      expect(await follow(stack, call, 60_000)).toEqual({
        recording,
        sealed: true,
        linked: true,
        verified: true,
        played: true,
        ms: expect.any(Number),
      });
      const { objects, uploads } = await stack.sandbox.twilio.bucket.show();
      const object = objects.find(({ key }) => key.endsWith(`/${recording}`));
      expect(object?.bytes).toBeGreaterThan(seconds * 32_000);
      expect(uploads).toEqual([]);
      const { ETag, VersionId } = await bucket.head(object?.key ?? '');
      expect(VersionId).toMatch(/./);
      // An ETag ends in the number of parts that an object came in.
      const parts = Number(/-(\d+)"$/.exec(ETag ?? '')?.[1] ?? 1);
      expect(parts > 1).toBe(seconds * 32_000 > partBytes);
      if (seconds === 60) {
        const sealed = stack.events
          .all()
          .find((event) => event.recording === recording && event.event === 'recording.sealed');
        expect(sealed).toMatchObject({ by: 'function' });
      }
    });
  });
});
