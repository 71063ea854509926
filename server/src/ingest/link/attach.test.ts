import { FakeTwilio } from '../testing/fake-twilio.ts';
import { scene, sids, startedAt } from '../testing/scene.ts';
import { attach } from './attach.ts';

const { task, reservation } = sids;
const base = {
  recordingSid: sids.recording(1),
  taskSid: task,
  publicUrl: 'https://custody.example',
  startedAt,
} as const;
const noWait = async () => undefined;
const attributesOf = (twilio: FakeTwilio) =>
  JSON.parse(twilio.tasks.get(task)?.attributes ?? '{}') as Record<string, unknown>;

test('writes the entry to the reservation and keeps everything else', async () => {
  const twilio = scene();
  const before = attributesOf(twilio);
  const attachment = {
    ...base,
    reservationSid: reservation,
    channels: ['customer', 'others'],
    title: 'Call',
  };
  expect(await attach(twilio, attachment)).toMatchObject({ attached: 'attached' });
  expect(attributesOf(twilio)).toEqual({
    ...before,
    reservation_attributes: {
      [reservation]: {
        media: [
          {
            type: 'VoiceRecording',
            url_provider: `https://custody.example/url-provider?recording=${base.recordingSid}`,
            start_time: startedAt.getTime() - 1000,
            channels: ['customer', 'others'],
            title: 'Call',
          },
        ],
      },
    },
  });
});

test('an acceptance before the recording moves start_time ahead of it', async () => {
  const twilio = scene();
  const reservationUpdated = new Date(startedAt.getTime() - 3_000);
  await attach(twilio, { ...base, reservationUpdated });
  expect(twilio.tasks.get(task)?.attributes).toContain(`"start_time":${startedAt.getTime() - 4_000}`);
});

test('no channels and no title are written where none are given', async () => {
  const twilio = scene();
  await attach(twilio, { ...base, channels: [] });
  expect(twilio.tasks.get(task)?.attributes).not.toMatch(/channels|title/);
});

test('twice is one entry and one write', async () => {
  const twilio = scene();
  await attach(twilio, base);
  expect(await attach(twilio, base)).toMatchObject({ attached: 'attached' });
  expect(twilio.writes).toBe(1);
});

test('a write in between is merged, not lost', async () => {
  const twilio = scene();
  let times = 0;
  twilio.beforeUpdate = () => {
    times += 1;
    if (times <= 3) twilio.write(task, (attributes) => (attributes[`note${times}`] = true));
  };
  expect(await attach(twilio, base, noWait)).toMatchObject({ attached: 'attached' });
  expect(attributesOf(twilio)).toMatchObject({
    note1: true,
    note2: true,
    note3: true,
    conversations: { media: [{ type: 'VoiceRecording' }] },
  });
});

test('six collisions are enough for one go', async () => {
  const twilio = scene();
  let n = 0;
  twilio.beforeUpdate = () => {
    n += 1;
    twilio.write(task, (attributes) => (attributes['n'] = n));
  };
  const waits: number[] = [];
  expect(await attach(twilio, base, async (ms) => void waits.push(ms))).toMatchObject({
    attached: 'contended',
  });
  expect(n).toBe(6);
  expect(waits).toHaveLength(5);
  expect(Math.max(...waits)).toBeLessThanOrEqual(400);
});

test('a task that goes between reading and writing is gone', async () => {
  const twilio = scene();
  twilio.beforeUpdate = () => twilio.tasks.delete(task);
  expect(await attach(twilio, base)).toMatchObject({ attached: 'gone' });
  expect(await attach(twilio, base)).toMatchObject({ attached: 'gone' });
});

test('full attributes are left alone', async () => {
  const twilio = scene();
  twilio.write(task, (attributes) => (attributes['notes'] = 'x'.repeat(3_850)));
  const before = twilio.tasks.get(task)?.attributes;
  expect(await attach(twilio, base)).toMatchObject({ attached: 'full' });
  expect(twilio.tasks.get(task)?.attributes).toBe(before);
});

test.each(['not json', '[1]', '"text"', 'null'])('attributes %s are not replaced', async (attributes) => {
  const twilio = scene();
  const stored = twilio.tasks.get(task);
  if (stored) stored.attributes = attributes;
  expect(await attach(twilio, base)).toMatchObject({ attached: 'unreadable' });
  expect(twilio.writes).toBe(0);
});

test('what Twilio cannot answer now is thrown', async () => {
  const twilio = scene();
  twilio.failing.set('updateTask', FakeTwilio.down);
  await expect(attach(twilio, base)).rejects.toMatchObject({ code: 'twilio_unavailable' });
});
