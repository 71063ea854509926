import { createHash } from 'node:crypto';
import { type RealHost, startRealHost } from './real-host.ts';

let host: RealHost;
beforeAll(async () => {
  host = await startRealHost();
});
afterAll(() => host.stop());
jest.setTimeout(120_000);

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

test.each([
  ['as the REST reference names it, in one piece', { encryptionNames: 'reference' }, 20, 2],
  [
    'as the guide names it, in parts, mono, from a source with ranges',
    { encryptionNames: 'guide', mediaRange: true },
    700,
    1,
  ],
] as const)(
  'what Twilio has sealed is opened, proven, sealed anew and played: %s',
  async (_how, behaviour, seconds, channels) => {
    await host.control('behaviour', behaviour);
    const { recordings } = await host.place({ seconds, channels, encrypted: true });
    const [sid = ''] = recordings;
    expect(await host.announce(sid)).toMatchObject({ status: 200, answer: { action: 'host' } });
    const row = await host.reaches(sid, 'verified');
    expect(row).toMatchObject({ sourceEncrypted: true, channels, linkState: 'linked' });
    const wanted = await host.sandbox.twilio.world.recordings.get(sid)!.media!.sha256(channels);
    expect(row.object?.plaintextSha256).toBe(wanted);
    const { status, audio } = await host.play(sid);
    expect([status, sha256(audio)]).toEqual([200, wanted]);
  },
);

test('for a key we lack it is a dead letter that says so, and is played by nobody', async () => {
  const { world } = host.sandbox.twilio;
  const { recordings } = await host.place({ seconds: 3, encrypted: true });
  const [sid = ''] = recordings;
  const seal = world.recordings.get(sid)!.seal!;
  const own = seal.publicKeySid;
  seal.publicKeySid = `CR${'9'.repeat(32)}`;
  expect(await host.announce(sid)).toMatchObject({ answer: { action: 'host' } });
  expect(await host.reaches(sid, 'failed')).toMatchObject({ failure: 'twilio_key_unknown' });
  expect((await host.play(sid)).status).toBe(404);
  expect((await host.run('recordings', 'failed')).out).toContain('twilio_key_unknown');
  expect((await host.run('alarms')).out).toContain('16107');

  seal.publicKeySid = own;
  expect((await host.run('recordings', 'retry', '--all')).code).toBe(0);
  await host.reaches(sid, 'verified');
  expect((await host.run('alarms')).out).not.toContain('16107');
});
