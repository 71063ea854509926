import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStore } from '@flex-custody/vault';
import { type RealHost, startRealHost } from './real-host.ts';

jest.setTimeout(240_000);

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

async function taken(host: RealHost, call: object): Promise<{ sid: string; digest: string }> {
  const { recordings } = await host.place(call);
  const [sid = ''] = recordings;
  const reconciled = await host.run('reconcile', '--since', '2020-01-01', '--no-bucket');
  expect(reconciled.code).toBe(0);
  await host.reaches(sid, 'verified');
  const media = host.sandbox.twilio.world.recordings.get(sid)!.media!;
  return { sid, digest: await media.sha256(2) };
}

async function plays(host: RealHost, { sid, digest }: { sid: string; digest: string }): Promise<boolean> {
  const { status, audio } = await host.play(sid);
  return status === 200 && sha256(audio) === digest;
}

async function versionsIn({ sandbox }: RealHost): Promise<number> {
  const store = createStore({ ...sandbox.s3, pathStyle: true, mode: 'envelope' });
  let found = 0;
  for await (const _ of store.versions('recordings/')) found += 1;
  store.close();
  return found;
}

const keysOf = async (host: RealHost) =>
  Object.fromEntries(
    (
      JSON.parse((await host.run('keys', 'status', '--json')).out) as {
        keys: { keyId: string; recordings: number; sidecars: number; atHand: boolean }[];
      }
    ).keys.map(({ keyId, recordings, sidecars, atHand }) => [keyId, [recordings, sidecars, atHand]]),
  );

describe('keys in a file', () => {
  let host: RealHost;
  let folder: string;
  const keyFile = () => join(folder, 'keys');
  const line = (id: string, fill: number) => `${id}:${Buffer.alloc(32, fill).toString('base64')}\n`;
  const [october, november, december] = [line('2026-10', 1), line('2026-11', 2), line('2026-12', 3)];
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keys-'));
    writeFileSync(keyFile(), october, { mode: 0o600 });
    host = await startRealHost({ CUSTODY_KEY_KIND: 'raw-aes', CUSTODY_KEY_FILE: keyFile() });
  });
  afterAll(async () => {
    await host.stop();
    rmSync(folder, { recursive: true });
  });
  const withKeys = async (...lines: string[]) => {
    writeFileSync(keyFile(), lines.join(''));
    await host.restart({});
  };

  test('a new key seals at once, old headers are renewed, and then the old key is not needed any more', async () => {
    const small = await taken(host, { seconds: 5 });
    const large = await taken(host, { seconds: 400 });
    await withKeys(november, october);
    const later = await taken(host, { seconds: 5 });
    expect(await keysOf(host)).toEqual({ '2026-10': [2, 2, true], '2026-11': [1, 1, true] });
    expect((await host.run('keys', 'status')).out).toContain('rotate-keys');

    const planned = await host.run('rotate-keys', '--dry-run');
    expect([planned.code, planned.out]).toEqual([
      0,
      expect.stringMatching(/recordings +2\nDry run: nothing changed\./),
    ]);
    const rotated = await host.run('rotate-keys', '--verify', '--json');
    expect([rotated.code, JSON.parse(rotated.out).counts]).toEqual([0, { recordings: 2, sidecars: 2 }]);
    expect(await keysOf(host)).toEqual({ '2026-10': [0, 0, true], '2026-11': [3, 3, true] });
    expect((await host.run('rotate-keys')).out).toContain('No matching recordings.');

    await withKeys(november);
    for (const recording of [small, large, later]) expect(await plays(host, recording)).toBe(true);
    // No version of anything is left that the old key would open.
    expect(await versionsIn(host)).toBe(6);
  });

  test("a month's key that is gone takes the month's recordings along, and no others", async () => {
    const gone = await taken(host, { seconds: 5 });
    await withKeys(december, november);
    const kept = await taken(host, { seconds: 5 });
    await withKeys(december);
    expect((await host.play(gone.sid)).status).toBeGreaterThanOrEqual(500);
    expect(await plays(host, kept)).toBe(true);
    expect(await keysOf(host)).toEqual({ '2026-11': [4, 4, false], '2026-12': [1, 1, true] });
    expect((await host.run('keys', 'status')).out).toContain('NOT ON THIS HOST');
    // There is nothing that could be renewed, and that is said.
    const rotated = await host.run('rotate-keys', '--json');
    expect([rotated.code, JSON.parse(rotated.out).counts]).toEqual([1, { failed_envelope_wrong_key: 4 }]);
  });
});
