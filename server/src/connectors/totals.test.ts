import { randomUUID } from 'node:crypto';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { totalsOf } from './totals.ts';

onEachEngine('totals of customers', (open) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
  }, 120_000);
  afterAll(() => database.drop());

  const day = Date.parse('2026-11-01');
  const add = (customer: number | null, channel: string, openedAt: number, more: object | null) =>
    database.db.query(
      `INSERT INTO connector_interactions (custody_id, connector, customer, channel, opened_at, interaction)
       VALUES ($1, 'brevo', $2, $3, to_timestamp($4::float8 / 1000), $5::jsonb)`,
      [randomUUID(), customer, channel, openedAt, more && JSON.stringify(more)],
    );

  test('are of each customer alone, without what is erased or became one with another', async () => {
    await add(1, 'voice', day, {
      waitSeconds: 10,
      talkSeconds: 100,
      acceptedAt: 1,
      csatScore: 2,
      surveyedAt: 50,
    });
    await add(1, 'sms', day + 1_000, { waitSeconds: 20, talkSeconds: 0, csatScore: 5, surveyedAt: 40 });
    await add(1, 'voice', day + 500, { talkSeconds: 50, acceptedAt: 1 });
    await add(1, 'voice', day + 9_000, null);
    await add(null, 'voice', day + 9_000, { waitSeconds: 900, talkSeconds: 900, acceptedAt: 1 });
    await add(2, 'sms', day, { talkSeconds: 0 });
    await add(2, 'whatsapp', day + 1, { talkSeconds: 0 });
    expect(await totalsOf(database.db, [1, 2, 3])).toEqual(
      new Map([
        [
          1,
          {
            ...{ conversations: 3, averageWaitSeconds: 15, averageTalkSeconds: 75 },
            ...{ lastConversationAt: day + 1_000, lastCsatScore: 2, preferredChannel: 'voice' },
          },
        ],
        [2, { conversations: 2, lastConversationAt: day + 1, preferredChannel: 'whatsapp' }],
      ]),
    );
  });
});
