import { type AccountSid, CustodyError, type RecordingSid, type TaskSid } from '@flex-custody/core';
import type { Catalog } from '../../catalog/catalog.ts';
import { createCatalog } from '../../catalog/create-catalog.ts';
import type { Registration } from '../../catalog/recording-row.ts';
import type { Db } from '../../db/db.ts';
import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { attach } from '../../ingest/link/attach.ts';
import { FakeTwilio } from '../../ingest/testing/fake-twilio.ts';
import type { Acceptance } from '../jobs.ts';
import { type Contact, type Interaction, wasAccepted } from '../sessions/contact.ts';
import { contactsOf } from '../sessions/contacts-of.ts';
import { writeContacts } from '../sessions/kept/contacts-table.ts';
import { inbound, type Scene, warmTransfer } from '../sessions/testing/stories.ts';
import { announceAccepted } from './announce.ts';
import { linkAccepted } from './link-accepted.ts';
import { createReservations } from './reservations.ts';

const accountSid = `AC${'1'.repeat(32)}` as AccountSid;
const publicUrl = 'https://custody.example';
const RE = (n: number) => `RE${n.toString(16).padStart(32, '0')}` as RecordingSid;

function contactOf(scene: Scene): Contact {
  const [contact] = contactsOf(scene.story.events);
  if (!contact) throw new Error('the story has no contact');
  return contact;
}

const acceptedOf = ({ interactions }: Contact) =>
  interactions.filter(wasAccepted) as (Interaction & { taskSid: TaskSid; acceptedAt: number })[];

/** TaskRouter has the task of the contact, with its reservations. */
function twilioOf(contact: Contact): FakeTwilio {
  const twilio = new FakeTwilio();
  for (const { acceptedAt, reservationSid, taskSid, workerSid } of acceptedOf(contact)) {
    const dateUpdated = new Date(acceptedAt);
    twilio.tasks.set(taskSid, { attributes: '{"from": "caller"}', version: 1, dateUpdated });
    twilio.reserved.set(reservationSid, {
      sid: reservationSid,
      taskSid,
      workerSid: workerSid as never,
      dateUpdated,
    });
  }
  return twilio;
}

describe('the link at the acceptance', () => {
  const contact = contactOf(warmTransfer(61));
  const [first, second] = acceptedOf(contact) as [Interaction & Acceptance, Interaction & Acceptance];
  const media = (twilio: FakeTwilio) => JSON.parse(twilio.tasks.get(first.taskSid)?.attributes ?? '');
  const link = (of: Acceptance) => `${publicUrl}/url-provider?reservation=${of.reservationSid}`;
  const recorded = (of?: Acceptance) => ({
    ...{ recordingSid: RE(1), taskSid: first.taskSid, publicUrl, startedAt: new Date(first.acceptedAt) },
    ...(of && { reservationSid: of.reservationSid }),
  });

  test("is written once, starts before the acceptance, and is replaced by the recording's own", async () => {
    const twilio = twilioOf(contact);
    await linkAccepted({ twilio, publicUrl }, first);
    await linkAccepted({ twilio, publicUrl }, first);
    expect(twilio.writes).toBe(1);
    expect(media(twilio)).toEqual({
      from: 'caller',
      reservation_attributes: {
        [first.reservationSid]: {
          media: [
            { type: 'VoiceRecording', url_provider: link(first), start_time: first.acceptedAt - 1_000 },
          ],
        },
      },
    });
    await attach(twilio, recorded(first));
    await linkAccepted({ twilio, publicUrl }, first);
    const { [first.reservationSid]: own } = media(twilio).reservation_attributes;
    expect(own.media.map(({ url_provider: url }: { url_provider: string }) => url)).toEqual([
      `${publicUrl}/url-provider?recording=${RE(1)}`,
    ]);
  });

  test('is taken away at both reservations by a recording of the conference', async () => {
    const twilio = twilioOf(contact);
    for (const one of [first, second]) await linkAccepted({ twilio, publicUrl }, one);
    expect(Object.keys(media(twilio).reservation_attributes)).toHaveLength(2);
    await attach(twilio, recorded());
    for (const one of [first, second]) await linkAccepted({ twilio, publicUrl }, one);
    expect(media(twilio)).toMatchObject({
      reservation_attributes: { [first.reservationSid]: {}, [second.reservationSid]: {} },
      conversations: { media: [{ url_provider: `${publicUrl}/url-provider?recording=${RE(1)}` }] },
    });
    expect(JSON.stringify(media(twilio))).not.toContain('?reservation=');
  });

  test('loses no entry that another writer adds meanwhile', async () => {
    const twilio = twilioOf(contact);
    twilio.beforeUpdate = () => {
      twilio.beforeUpdate = undefined;
      twilio.write(first.taskSid, (attributes) => {
        attributes['theirs'] = 1;
      });
    };
    await linkAccepted({ twilio, publicUrl }, first);
    expect(media(twilio)).toMatchObject({
      theirs: 1,
      reservation_attributes: { [first.reservationSid]: {} },
    });
  });

  test.each<[string, (twilio: FakeTwilio) => void]>([
    ['whose reservation is of another task', ({ reserved }) => reserved.delete(first.reservationSid)],
    ['that is gone', ({ tasks }) => tasks.clear()],
    [
      'without readable attributes',
      ({ tasks }) => Object.assign(tasks.get(first.taskSid) ?? {}, { attributes: '[' }),
    ],
  ])('is not written to a task %s', async (_which, change) => {
    const twilio = twilioOf(contact);
    change(twilio);
    await linkAccepted({ twilio, publicUrl }, first);
    expect(twilio.writes).toBe(0);
  });

  test('is tried again while Twilio is away', async () => {
    const twilio = twilioOf(contact);
    twilio.failing.set('task', FakeTwilio.down);
    await expect(linkAccepted({ twilio, publicUrl }, first)).rejects.toBeInstanceOf(CustodyError);
  });
});

onEachEngine('reservations', (open) => {
  let database: TestDatabase;
  let db: Db;
  let catalog: Catalog;
  const contact = contactOf(warmTransfer(62));
  const [anna, cleo] = acceptedOf(contact) as [Interaction, Interaction];

  beforeAll(async () => {
    database = await open();
    db = database.db;
    await migrate(db);
    catalog = createCatalog(db, accountSid);
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await db.query('TRUNCATE recordings, contacts, contact_keys CASCADE');
    await writeContacts(db, [{ number: 1, contact }]);
    await db.query('INSERT INTO contact_keys SELECT key, 1 FROM unnest($1::text[]) key', [contact.keys]);
  });
  const reservations = (at = anna.acceptedAt ?? 0) => createReservations({ db, catalog, now: () => at });
  const register = (
    n: number,
    { acceptedAt = 0, endedAt = 0 }: Interaction,
    more: Partial<Registration> = {},
  ) =>
    catalog.register({
      ...{ recordingSid: RE(n), accountSid, channels: 2, hints: {}, source: 'callback' },
      conferenceSid: contact.keys.find((key) => key.startsWith('CF')) as never,
      startedAt: new Date(acceptedAt),
      durationSeconds: (endedAt - acceptedAt) / 1_000,
      ...more,
    });
  const first = async ({ reservationSid }: Interaction) =>
    (await reservations().recordingOf(reservationSid))?.recordingSid;

  test("the first recording is the reservation's own, else the first that the ledger counts for its segment", async () => {
    expect([await first(anna), await first(cleo)]).toEqual([undefined, undefined]);
    await register(2, cleo);
    expect(await first(cleo)).toBe(RE(2));
    await register(1, cleo, { startedAt: new Date((cleo.acceptedAt ?? 0) - 5_000) });
    expect(await first(cleo)).toBe(RE(1));
    await catalog.absent(RE(1), '16102');
    expect(await first(cleo)).toBe(RE(2));
    await register(3, cleo);
    const { reservationSid, taskSid, workerSid } = cleo as Required<Interaction>;
    await catalog.linked(RE(3), { reservationSid, taskSid, workerSid });
    expect(await first(cleo)).toBe(RE(3));
  });

  test("another agent's proven recording is nobody else's, although it overlaps", async () => {
    await register(1, cleo);
    const { taskSid, workerSid } = anna as Required<Interaction>;
    await catalog.linked(RE(1), { taskSid, workerSid });
    expect(await first(cleo)).toBeUndefined();
  });

  test('a recording is awaited by its agent, from the acceptance until an hour after the end', async () => {
    const end = cleo.endedAt ?? 0;
    const awaited = (at: number, sid = cleo.reservationSid) => reservations(at).awaited(sid);
    expect(await awaited(end)).toEqual({ workerSid: cleo.workerSid });
    expect(await awaited(end + 3_600_000)).toEqual({ workerSid: cleo.workerSid });
    expect(await awaited(end + 3_600_001)).toBeUndefined();
    expect(await awaited(end, `WR${'9'.repeat(32)}` as never)).toBeUndefined();
  });

  test('an acceptance is announced once, while it is fresh; an offer is not', async () => {
    const one = contactOf(inbound(63));
    await writeContacts(db, [{ number: 2, contact: one }]);
    const sent: object[] = [];
    const queue = { send: async (_job: object, data: object) => void sent.push(data) };
    const [{ acceptedAt = 0, reservationSid, taskSid } = {}] = acceptedOf(one);
    let now = acceptedAt;
    const announce = announceAccepted({ db, queue, now: () => now });
    await announce([2]);
    await announce([2]);
    expect(sent).toEqual([{ acceptedAt, reservationSid, taskSid }]);
    now = acceptedAt + 600_001;
    await announceAccepted({ db, queue, now: () => now })([2]);
    expect(sent).toHaveLength(1);
  });
});
