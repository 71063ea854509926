import { createCipheriv, randomBytes } from 'node:crypto';
import type { TwilioRecording } from '@flex-custody/twilio';
import { wav } from '../../../../packages/vault/test/support.ts';
import { openSidecar } from '../../catalog/sidecars.ts';
import type { IngestDeps } from '../deps.ts';
import { FakeTwilio } from '../testing/fake-twilio.ts';
import { audio, forged, job, sid, vault } from '../testing/vault.ts';

const at = vault();

/** The same samples behind another header. */
const reheaded = (): Buffer => {
  const list = Buffer.from('LIST\x04\0\0\0INFO', 'latin1');
  const bytes = Buffer.concat([audio.subarray(0, 36), list, audio.subarray(36)]);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  return bytes;
};

describe('a second look', () => {
  test('at an honest copy proves it, once, and its sidecar says so', async () => {
    const host = await at.open();
    const object = await host.verified(audio);
    await host.queue.run('prove', job);
    const row = await host.catalog.find(sid);
    expect(row?.proof).toEqual({
      at: expect.any(String),
      host: expect.any(String),
      by: 'second-look',
      how: 'sha256',
    });
    expect(row?.object).toEqual(object);
    const { sidecar } = await openSidecar(host.deps, sid);
    expect(sidecar.proof).toEqual(row?.proof);
    expect(at.media.urls).toEqual([expect.stringContaining('RequestedChannels=2')]);
    await host.queue.run('prove', job);
    expect(at.media.urls.length).toBe(1);
  });

  test('where the bytes differ and the samples do not, those decide', async () => {
    const host = await at.open();
    await host.verified(reheaded());
    await host.queue.run('prove', job);
    expect(await host.catalog.find(sid)).toMatchObject({ state: 'verified', proof: { how: 'samples' } });
  });

  test('the same samples as another format are another recording', async () => {
    const host = await at.open();
    const bytes = Buffer.from(audio);
    // 8 kHz stereo read as 16 kHz mono plays as long, and as something else.
    bytes.writeUInt16LE(1, 22);
    bytes.writeUInt32LE(16_000, 24);
    await host.verified(bytes, 1);
    await host.queue.run('prove', job);
    expect(await host.catalog.find(sid)).toMatchObject({ state: 'registered', failure: 'audio_differs' });
  });

  test('a mono copy of a recording that has two channels is kept, proven as what it is, and marked', async () => {
    const host = await at.open();
    const mono = wav(4, 1);
    at.media.answer = (request, response) => {
      const isMono = request.url?.includes('RequestedChannels=1');
      response.writeHead(200, { 'content-type': 'audio/x-wav' }).end(isMono ? mono : audio);
    };
    await host.verified(mono);
    expect(await host.catalog.find(sid)).toMatchObject({ state: 'verified', channels: 1 });
    await host.queue.run('prove', job);
    expect(await host.catalog.find(sid)).toMatchObject({
      state: 'verified',
      proof: { by: 'second-look', how: 'sha256', mono: true },
    });
  });

  test('a copy of two channels, where Twilio has one, is forged', async () => {
    const host = await at.open({ channels: 1 });
    const mono = wav(4, 1);
    at.media.answer = (request, response) => {
      if (request.url?.includes('RequestedChannels=2')) response.writeHead(400).end();
      else response.writeHead(200, { 'content-type': 'audio/x-wav' }).end(mono);
    };
    await host.verified(audio);
    await host.queue.run('prove', job);
    expect(await host.catalog.find(sid)).toMatchObject({ state: 'registered', failure: 'audio_differs' });
  });

  test('media that breaks off, or is no whole recording, says nothing of the copy', async () => {
    const host = await at.open();
    await host.verified(audio);
    for (const [bytes, code] of [
      [wav(2), 'media_short'],
      [audio.subarray(0, 9_000), 'media_short'],
      [Buffer.from('<html>'.repeat(30)), 'media_not_audio'],
    ] as const) {
      at.media.offer(bytes as Buffer);
      await expect(host.queue.run('prove', job)).rejects.toMatchObject({ code, retryable: true });
    }
    expect(await host.catalog.find(sid)).toMatchObject({ state: 'verified' });
  });

  test('of what Twilio has sealed opens it first; the host’s own copy of it needs none', async () => {
    const cek = randomBytes(32);
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', cek, iv);
    const sealed = Buffer.concat([cipher.update(audio), cipher.final(), cipher.getAuthTag()]);
    const encryption = { publicKeySid: `CR${'1'.repeat(32)}`, encryptedCek: '', iv: iv.toString('base64') };
    const twilioKeys = { sids: [], unwrap: () => cek } as unknown as NonNullable<IngestDeps['twilioKeys']>;
    const host = await at.open(
      { encryption: encryption as TwilioRecording['encryption'] & object },
      { twilioKeys },
    );
    at.media.offer(sealed);
    expect(await host.ingest.receive(host.callback)).toMatchObject({ action: 'host' });
    await host.copiedByHost();
    expect(await host.catalog.find(sid)).toMatchObject({ proof: { by: 'copy', how: 'sha256' } });
    await at.shared.db.query('UPDATE recordings SET proof = NULL, copied_by = NULL');
    await host.queue.run('prove', job);
    expect(await host.catalog.find(sid)).toMatchObject({ proof: { by: 'second-look', how: 'sha256' } });
  });

  test('an object that was sealed by another key meanwhile is looked at again', async () => {
    const host = await at.open();
    await host.verified(audio);
    host.queue.sent = [];
    at.media.answer = async (_request, response) => {
      await at.shared.db.query(`UPDATE recordings SET object = object || '{"etag":"newer"}'::jsonb`);
      response.writeHead(200, { 'content-type': 'audio/x-wav' }).end(audio);
    };
    await host.queue.run('prove', job);
    expect((await host.catalog.find(sid))?.proof).toBeUndefined();
    expect(host.queue.names()).toEqual(['prove']);
  });
});

describe('where Twilio', () => {
  test('has the recording no longer, the copy stays verified; an alarm where somebody wants originals deleted', async () => {
    for (const wanted of [false, true]) {
      await at.shared.db.query('TRUNCATE recordings, alarms CASCADE');
      const host = await at.open();
      await host.verified(audio);
      if (wanted) host.configure({ deleteSourceAfterHours: 24 });
      host.twilio.recordings.clear();
      await host.queue.run('prove', job);
      const row = await host.catalog.find(sid);
      expect(row).toMatchObject({ state: 'verified', sourceDeletedAt: expect.any(Date) });
      expect(row?.proof).toBeUndefined();
      expect(await host.alarmCodes()).toEqual(wanted ? ['proof_impossible'] : []);
    }
  });

  test('lists it and has no media, it is asked some times, and then not again that day', async () => {
    for (const wanted of [false, true]) {
      await at.shared.db.query('TRUNCATE recordings, alarms CASCADE');
      const host = await at.open();
      await host.verified(audio);
      if (wanted) host.configure({ deleteSourceAfterHours: 24 });
      at.media.answer = (_request, response) => response.writeHead(404).end();
      const missing = { code: 'media_missing', retryable: true };
      await expect(host.queue.run('prove', job)).rejects.toMatchObject(missing);
      // One such answer may pass: the day begins with the last try.
      expect((await host.catalog.find(sid))?.proofTriedAt).toBeUndefined();
      await host.queue.dead({ name: 'prove', data: job, error: { ...missing, message: '' } });
      const row = await host.catalog.find(sid);
      expect(row).toMatchObject({ state: 'verified', proofTriedAt: expect.any(Date) });
      expect(row?.sourceDeletedAt).toBeUndefined();
      expect(await host.alarmCodes()).toEqual(wanted ? ['source_kept'] : []);
    }
  });

  test('is away, the look is tried again', async () => {
    const host = await at.open();
    await host.verified(audio);
    host.twilio.failing.set('recording', FakeTwilio.down);
    await expect(host.queue.run('prove', job)).rejects.toBe(FakeTwilio.down);
  });
});

describe('a copy by the host', () => {
  test('is proven by what it read when it copied, and nothing is read again', async () => {
    const host = await at.open();
    await host.ingest.receive(host.callback);
    await host.leaseLapses();
    await host.copiedByHost();
    expect(await host.catalog.find(sid)).toMatchObject({
      copiedBy: 'host',
      proof: { by: 'copy', how: 'sha256' },
    });
    expect(host.queue.names()).not.toContain('prove');
    const before = at.media.urls.length;
    await host.queue.run('prove', job);
    expect(at.media.urls.length).toBe(before);
  });

  test('that differs all the same is an alarm, and is not copied for ever', async () => {
    const host = await at.open();
    await host.verified(forged());
    await at.shared.db.query(`UPDATE recordings SET copied_by = 'host'`);
    host.queue.sent = [];
    await host.queue.run('prove', job);
    expect(await host.catalog.find(sid)).toMatchObject({ state: 'verified' });
    expect(await host.alarmCodes()).toEqual(['proof_failed']);
    expect(host.queue.sent).toEqual([]);
    expect(await host.deletionDue()).toBe(0);
  });
});

describe('is asked for', () => {
  test.each([
    ['after each verification, where every copy is to be proven', { prove: 'always' as const }, ['prove']],
    ['not otherwise', { prove: 'before-deletion' as const }, []],
  ])('%s', async (_what, config, jobs) => {
    const host = await at.open();
    host.configure(config);
    await host.verified(audio);
    expect(host.queue.names()).toEqual(jobs);
  });

  test.each(['adopted', 'import'])('of what came from a bucket (%s), whatever the setting', async (by) => {
    const host = await at.open();
    await host.reported(audio);
    await at.shared.db.query('UPDATE recordings SET copied_by = $1', [by]);
    await host.queue.run('verify', job);
    expect((await host.catalog.find(sid))?.proof).toBeUndefined();
    expect(host.queue.names()).toEqual(['prove']);
  });

  test('by the janitor, of what lost its job or was verified before, where every copy is to be proven', async () => {
    const host = await at.open();
    await host.verified(audio);
    await at.shared.db.query(`UPDATE recordings SET updated_at = now() - interval '3 minutes'`);
    // A killed process loses a job: that is minutes ago, not hours.
    await host.queue.run('janitor', {});
    expect(host.queue.names()).not.toContain('prove');
    host.configure({ prove: 'always' });
    await host.queue.run('janitor', {});
    expect(host.queue.names()).toContain('prove');
    await host.catalog.proofTried(sid);
    host.queue.sent = [];
    await host.queue.run('janitor', {});
    expect(host.queue.names()).not.toContain('prove');
  });
});

test('a look that failed for good leaves the recording as it is, and says so', async () => {
  const host = await at.open();
  await host.verified(audio);
  const error = { code: 'twilio_key_unknown', message: '', retryable: false };
  await host.queue.dead({ name: 'prove', data: job, error });
  expect(await host.catalog.find(sid)).toMatchObject({ state: 'verified', proofTriedAt: expect.any(Date) });
  expect(await host.alarmCodes()).toEqual(['prove_failed']);
  await host.queue.run('prove', job);
  expect(await host.alarmCodes()).toEqual([]);
});
