import { type AskedBrevo, askBrevo } from './testing.ts';

let asked: AskedBrevo;
beforeEach(() => {
  asked = askBrevo();
  asked.brevo.settings.limits = 1_000;
});
const received = async () => (await asked.control('GET', '/received')).body;
const send = (more: object) => asked.ask('POST', '/events', { event_name: 'E', ...more });

test('says by contact what came, the newest first, and of whom only enough to know them again', async () => {
  await asked.ask('POST', '/contacts', {
    ext_id: 'visitor-0123',
    attributes: { FIRSTNAME: 'Fatou' },
    listIds: [3],
  });
  await asked.ask('POST', '/contacts', {
    email: 'dana.diaz@example.com',
    attributes: { SMS: '+14155550142', WHATSAPP: '+4915550100143' },
  });
  asked.pass(1_000);
  const properties = {
    channel: 'sms',
    queue_name: 'Everyone',
    agent: 'WK1',
    wait_seconds: 7.5,
    talk_seconds: 60,
    csat_score: 5,
  };
  await send({
    event_date: '2026-11-30T10:00:00Z',
    identifiers: { ext_id: 'visitor-0123' },
    event_properties: properties,
  });
  await send({ event_date: '2026-11-30T11:00:00Z', identifiers: { ext_id: 'visitor-0123' } });
  const shown = await received();
  expect(shown).toEqual({
    total: { contacts: 2, events: 2 },
    contacts: [
      {
        id: 1,
        identifiers: [{ kind: 'ext_id', value: 'visi…0123' }],
        lists: ['Support contacts'],
        attributes: [{ name: 'FIRSTNAME', value: 'Fatou' }],
        count: 2,
        events: [
          {
            name: 'E',
            at: '2026-11-30T11:00:00.000Z',
            ...{ channel: null, queue: null, agent: null, wait: null, talk: null, csat: null },
          },
          {
            name: 'E',
            at: '2026-11-30T10:00:00.000Z',
            ...{ channel: 'sms', queue: 'Everyone', agent: 'WK1', wait: 7.5, talk: 60, csat: 5 },
          },
        ],
      },
      {
        id: 2,
        identifiers: [
          { kind: 'email', value: 'd…@example.com' },
          { kind: 'SMS', value: '+141…142' },
          { kind: 'WHATSAPP', value: '+491…143' },
        ],
        ...{ lists: [], attributes: [], count: 0, events: [] },
      },
    ],
  });
  expect(JSON.stringify(shown)).not.toMatch(/4155550|dana\.diaz|visitor-/);
});

test('shows the newest contacts alone, and counts all', async () => {
  for (let at = 0; at < 60; at += 1) {
    await asked.ask('POST', '/contacts', { ext_id: `c${at}` });
    asked.pass(1);
  }
  const { contacts, total } = (await received()) as { contacts: { id: number }[]; total: object };
  expect([contacts.length, contacts[0]?.id, total]).toEqual([50, 60, { contacts: 60, events: 0 }]);
});

test('everything is there for tests, as the API shows it', async () => {
  await asked.ask('POST', '/contacts', { ext_id: 'c' });
  await send({ identifiers: { ext_id: 'c' } });
  expect((await asked.control('GET', '/contacts')).body).toMatchObject({
    contacts: [{ attributes: { EXT_ID: 'c' } }],
  });
  expect((await asked.control('GET', '/events')).body).toMatchObject({
    events: [{ contact_id: 1, event_name: 'E' }],
  });
  expect((await asked.control('GET', '/requests')).body).toMatchObject({
    requests: [
      { method: 'POST', path: '/contacts', status: 201, class: 'contacts', body: { ext_id: 'c' } },
      { method: 'POST', path: '/events', status: 204, class: 'events' },
    ],
  });
});
