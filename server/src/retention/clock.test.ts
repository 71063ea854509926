import { forgetTwilioTime, readClock } from './clock.ts';

const day = 86_400_000;
/** Twilio's and the database's clocks, before this host's. */
function clocks(of: { twilio?: number | undefined; database?: number } = {}) {
  const asked = { times: 0 };
  const twilio = {
    aheadMs: of.twilio,
    async account() {
      asked.times += 1;
      const { aheadMs } = twilio;
      return { friendlyName: '', status: 'active', ...(aheadMs !== undefined && { aheadMs }) };
    },
  };
  const catalog = { now: async () => new Date(Date.now() + (of.database ?? 0)) };
  return { asked, twilio, catalog };
}

test.each<[string, Parameters<typeof clocks>[0] & object, string | undefined]>([
  ['all agree', { twilio: 0 }, undefined],
  ['they are some minutes apart', { twilio: 150_000, database: -140_000 }, undefined],
  ["Twilio's is ahead", { twilio: day }, "Twilio's clock is 86400 s ahead"],
  ["this host's and its database's are ahead", { twilio: -day }, "s ahead of Twilio's clock"],
  ["the database's is ahead", { twilio: 0, database: day }, "the database's clock is 86400 s ahead"],
  ['no two agree', { twilio: 200_000, database: -200_000 }, 'is 400 s ahead'],
  ['Twilio says no time', { twilio: undefined }, 'no date'],
])('where %s', async (_how, of, differs) => {
  const reading = await readClock(clocks(of));
  if (differs === undefined) expect(reading.differs).toBeUndefined();
  else expect(reading.differs).toContain(differs);
  const ahead = [0, of.database ?? 0, of.twilio ?? 0];
  expect(Math.abs(reading.earliest.getTime() - Date.now() - Math.min(...ahead))).toBeLessThan(5_000);
  expect(Math.abs(reading.now.getTime() - Date.now() - (of.database ?? 0))).toBeLessThan(5_000);
});

test('a run that deletes asks Twilio, whatever it has said before', async () => {
  const parts = clocks({ twilio: 0 });
  await readClock(parts);
  parts.twilio.aheadMs = -day;
  expect((await readClock(parts)).differs).toBeUndefined();
  forgetTwilioTime(parts);
  expect((await readClock(parts)).differs).toContain("ahead of Twilio's clock");
});

test('Twilio is asked once a minute, and again where its time differs', async () => {
  const parts = clocks({ twilio: 0 });
  for (const _ of [1, 2, 3]) await readClock(parts);
  expect(parts.asked.times).toBe(1);
  // This host's clock was set a day ahead meanwhile.
  const real = Date.now;
  const ahead = jest.spyOn(Date, 'now').mockImplementation(() => real() + day);
  parts.twilio.aheadMs = -day;
  expect((await readClock(parts)).differs).toContain("ahead of Twilio's clock");
  ahead.mockRestore();
  parts.twilio.aheadMs = 0;
  expect((await readClock(parts)).differs).toBeUndefined();
});
