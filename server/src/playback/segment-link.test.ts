import { createMediaLinks } from './media-link.ts';
import { createSegmentLinks } from './segment-link.ts';
import { otherRecording, publicUrl, recording, secret } from './testing/kit.ts';

const day = 86_400_000;
let clock = Date.parse('2026-11-20T10:00:00Z');
const now = () => clock;
const linksFor = (days: number) => createSegmentLinks({ secret, publicUrl, days, now });
const row = { recordingSid: recording, segmentGeneration: 3 };

async function tokenFor(days: number, of = row): Promise<string> {
  const url = new URL((await linksFor(days).segmentLinkFor(of)) ?? '');
  return url.searchParams.get('token') ?? '';
}

test('off, there is no link', async () => {
  expect(linksFor(0).enabled).toBe(false);
  await expect(linksFor(0).segmentLinkFor(row)).resolves.toBeUndefined();
});

test('on, the link names the recording, is short, and plays', async () => {
  const url = (await linksFor(7).segmentLinkFor(row)) ?? '';
  expect(url).toMatch(new RegExp(`^${publicUrl}/segment/${recording}\\.wav\\?token=[\\w.-]+$`));
  // It shares the task's 4,096 characters with everything else.
  expect(url.length).toBeLessThan(400);
  await expect(linksFor(7).verify(await tokenFor(7), recording)).resolves.toEqual({
    generation: 3,
    id: expect.any(String),
  });
});

test('it expires by the setting', async () => {
  const token = await tokenFor(7);
  clock += 7 * day - 1000;
  await expect(linksFor(7).verify(token, recording)).resolves.toEqual({
    generation: 3,
    id: expect.any(String),
  });
  clock += 1000;
  await expect(linksFor(7).verify(token, recording)).rejects.toMatchObject({
    code: 'link_expired',
    status: 403,
  });
});

test('turning the setting off revokes all, and a shorter one shortens all', async () => {
  const token = await tokenFor(30);
  await expect(linksFor(0).verify(token, recording)).rejects.toMatchObject({ code: 'link_revoked' });
  // To whoever has no link of ours it says no more than ever.
  await expect(linksFor(0).verify('noise', recording)).rejects.toMatchObject({ code: 'link_invalid' });
  clock += 2 * day;
  await expect(linksFor(1).verify(token, recording)).rejects.toMatchObject({ code: 'link_expired' });
});

test('it plays its own recording only, and is no other’s when it has expired', async () => {
  const token = await tokenFor(7);
  await expect(linksFor(7).verify(token, otherRecording)).rejects.toMatchObject({
    code: 'link_invalid',
  });
  clock += 8 * day;
  await expect(linksFor(7).verify(token, otherRecording)).rejects.toMatchObject({ code: 'link_invalid' });
  await expect(linksFor(7).verify(token, recording)).rejects.toMatchObject({ code: 'link_expired' });
});

test('no token, another key’s, and a media link’s are refused', async () => {
  const links = linksFor(7);
  await expect(links.verify(undefined, recording)).rejects.toMatchObject({
    code: 'link_missing',
    status: 401,
  });
  const stranger = createSegmentLinks({ secret: new Uint8Array(32).fill(9), publicUrl, days: 7, now });
  const theirs = new URL((await stranger.segmentLinkFor(row)) ?? '').searchParams.get('token') ?? '';
  await expect(links.verify(theirs, recording)).rejects.toMatchObject({ code: 'link_invalid' });
  const media = createMediaLinks({ secret, publicUrl, ttlSeconds: 600, now });
  const claims = { viewer: 'ada', recordingSid: recording, origin: 'twilio', channels: 2 } as const;
  const token = new URL(await media.issue(claims)).searchParams.get('token') ?? '';
  await expect(links.verify(token, recording)).rejects.toMatchObject({ code: 'link_invalid' });
});

test('more than 30 days cannot be configured', () => {
  expect(() => linksFor(31)).toThrow(/at most 30 days/);
});
