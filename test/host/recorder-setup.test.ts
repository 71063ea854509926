import { type RealHost, startRealHost } from './real-host.ts';

jest.setTimeout(120_000);

describe('recorder setup at the command line', () => {
  let host: RealHost;
  beforeAll(async () => {
    // Twilio cannot reach the host there.
    host = await startRealHost({ CUSTODY_PUBLIC_URL: 'http://127.0.0.1:9' });
  });
  afterAll(() => host.stop());

  interface Ended {
    counts: { changed: number; problems: number };
    notes: Record<string, string>;
    dryRun?: boolean;
  }
  const setup = async (...words: string[]) => {
    const { code, out } = await host.run('recorder', 'setup', ...words, '--json');
    return { code, ...(JSON.parse(out) as Ended) };
  };
  const sinks = () => host.sandbox.twilio.world.sinks;
  const subscriptions = () => host.sandbox.twilio.world.subscriptions;

  test('a dry run, a test event that cannot arrive, and a removal', async () => {
    expect(await setup('--dry-run')).toMatchObject({
      code: 0,
      dryRun: true,
      counts: { changed: 2, problems: 0 },
      notes: { sink: 'to be created' },
    });
    expect(sinks().size).toBe(0);
    const failed = await setup();
    expect(failed).toMatchObject({ code: 1, counts: { problems: 1 } });
    expect(failed.notes['sink']).toContain('check that CUSTODY_PUBLIC_URL is reached');
    expect([sinks().size, subscriptions().size]).toEqual([1, 0]);
    const { out } = await host.run('doctor', '--only', 'event-streams', '--json');
    expect(JSON.parse(out)).toMatchObject({
      checks: expect.arrayContaining([
        expect.objectContaining({
          name: 'event-streams',
          ok: false,
          next: expect.stringContaining('recorder setup'),
        }),
      ]),
    });
    expect(await setup('--remove')).toMatchObject({ code: 0, counts: { changed: 1 } });
    expect(sinks().size).toBe(0);
    const text = await host.run('recorder', 'setup', '--remove');
    expect(text).toMatchObject({
      code: 0,
      out: expect.stringMatching(/there is none of this host[\s\S]*Nothing to change\./),
    });
  });

  test('wrong arguments', async () => {
    expect(await host.run('recorder', 'setup', '--sink', 'kinesis')).toMatchObject({ code: 2 });
    expect(await host.run('recorder', 'repair', '--since', 'soon')).toMatchObject({ code: 2 });
  });
});
