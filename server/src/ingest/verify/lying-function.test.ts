import { wav } from '../../../../packages/vault/test/support.ts';
import { audio, digestOf, forged, job, sid, vault } from '../testing/vault.ts';
import { adopt } from '../upkeep/reconcile/adopt.ts';

const at = vault();

describe('a Function that lies', () => {
  test('gets a text verified under no digest; from then on the host copies it alone', async () => {
    const host = await at.open();
    const bad = await host.verified(Buffer.from('not a recording, but the digest of it is right'));
    expect(await host.catalog.find(sid)).toMatchObject({ state: 'registered', failure: 'object_not_audio' });
    expect(await host.bucket.head(bad.key, bad.versionId)).toBeUndefined();
    expect(await host.ingest.receive(host.callback)).toMatchObject({ action: 'host' });
    expect(await host.catalog.lease(sid, 'function', 1_000)).toBeUndefined();
    await host.copiedByHost();
    expect(await host.catalog.find(sid)).toMatchObject({ state: 'verified', proof: { by: 'copy' } });
    expect(await host.alarmCodes()).toEqual([]);
  });

  test.each([
    ['half the audio', wav(2), {}, 'object_length'],
    ['longer audio', wav(9), {}, 'object_length'],
    ['audio of more channels than it reported', wav(4), { channels: 1 as const }, 'object_channels'],
  ])('gets %s rejected', async (_what, bytes, { channels = 2 }: { channels?: 1 | 2 }, code) => {
    const host = await at.open();
    await host.verified(bytes, channels);
    expect(await host.catalog.find(sid)).toMatchObject({ state: 'registered', failure: code });
    expect(host.queue.names()).toEqual(['copy']);
  });

  test('and a length that the file states by a rate of its own', async () => {
    const host = await at.open();
    const bytes = wav(0.5);
    bytes.writeUInt32LE(4_000, 28);
    await host.verified(bytes);
    expect(await host.catalog.find(sid)).toMatchObject({ state: 'registered', failure: 'object_length' });
  });

  test('gets a forged WAV of the right length verified, and never its original deleted: it is found out', async () => {
    const host = await at.open();
    await host.verified(forged());
    const row = await host.catalog.find(sid);
    expect(row).toMatchObject({ state: 'verified', copiedBy: 'function' });
    expect(row?.proof).toBeUndefined();
    expect(await host.deletionDue()).toBe(0);
    expect(host.twilio.recordings.has(sid)).toBe(true);
    expect(host.queue.names()).toEqual(['prove']);
    host.queue.sent = [];

    await host.queue.run('prove', job);
    expect(await host.catalog.find(sid)).toMatchObject({ state: 'registered', failure: 'audio_differs' });
    expect(await host.alarmCodes()).toEqual(['object_rejected']);
    expect(host.queue.names()).toEqual(['copy']);
    expect(await host.ingest.receive(host.callback)).toMatchObject({ action: 'host' });

    await host.copiedByHost();
    const now = await host.catalog.find(sid);
    expect(now).toMatchObject({ state: 'verified', proof: { by: 'copy', how: 'sha256' } });
    expect(now?.object?.plaintextSha256).toBe(digestOf(audio));
    expect(await host.deletionDue()).toBe(1);
  });
});

describe('an object that somebody put into the bucket, of a recording that no catalog knows', () => {
  const adopted = async (bytes: Buffer) => {
    const host = await at.open();
    await host.put(bytes);
    expect(await adopt(host.deps, sid)).toBe(true);
    host.queue.sent = [];
    await host.queue.run('verify', job);
    return host;
  };

  test('is not verified where Twilio states another length', async () => {
    const host = await adopted(wav(2));
    expect(await host.catalog.find(sid)).toMatchObject({ state: 'registered', failure: 'object_length' });
    await host.copiedByHost();
    expect((await host.catalog.find(sid))?.object?.plaintextSha256).toBe(digestOf(audio));
  });

  test('is held against Twilio’s media at once, and its original stays until then', async () => {
    const host = await adopted(forged());
    const row = await host.catalog.find(sid);
    expect(row).toMatchObject({ state: 'verified', copiedBy: 'adopted', source: 'adopted' });
    expect(row?.proof).toBeUndefined();
    expect(host.queue.names()).toEqual(['prove']);
    expect(await host.deletionDue()).toBe(0);
    await host.queue.run('prove', job);
    await host.copiedByHost();
    expect(await host.catalog.find(sid)).toMatchObject({ state: 'verified', proof: { by: 'copy' } });
    expect(await host.deletionDue()).toBe(1);
  });
});
