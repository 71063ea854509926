import type { FlexDesktop } from '../../support/flex.ts';
import { describeWhere, isShortForm } from '../../support/needs.ts';
import { finish, joined, type Stage, setStage, shows } from './stage.ts';

jest.setTimeout(120_000);

/** Functions that fail, a token that is renewed: the call goes on, and what is shown is so. */
describeWhere(['chromium', 'plugins'], 'trouble with recording', () => {
  let stage: Stage;
  let alice: FlexDesktop;

  beforeAll(async () => {
    stage = await setStage();
    alice = await stage.open(stage.workers[0]);
  });
  afterEach(async () => {
    await alice?.page.unrouteAll({ behavior: 'ignoreErrors' });
    await stage?.clear();
  });
  afterAll(() => stage?.close());

  type Failing = 'a 500' | 'a 403' | 'a time-out' | 'no network';
  const fail = (path: string, how: Failing) =>
    alice.page.route(`**/${path}`, async (route) => {
      const headers = { 'access-control-allow-origin': '*' };
      if (how === 'a 500') await route.fulfill({ status: 500, headers, json: { error: 'unexpected' } });
      if (how === 'a 403') await route.fulfill({ status: 403, headers, json: { error: 'not_your_call' } });
      if (how === 'no network') await route.abort('internetdisconnected');
      // A time-out: never answered.
    });
  const all: [Failing, string][] = [
    ['a 500', 'an unexpected error occurred'],
    ['a 403', 'you are not on this call'],
    ['a time-out', 'the recording service took too long'],
    ['no network', 'the recording service cannot be reached'],
  ];
  const failures = all.filter(([how]) => !isShortForm || how === 'a 500' || how === 'no network');

  test.each(failures)('/pause-recording answers with %s: still recording, and why', async (how, why) => {
    const { task } = await stage.live.ring({ worker: stage.workers[0] });
    await alice.accept();
    await joined(alice);
    await shows(alice, 'recording');
    await fail('pause-recording', how);
    await alice.page.getByTestId('flex-custody-pause').click();
    await alice.page.getByText(`Still recording, not paused: ${why}`).waitFor();
    await shows(alice, 'recording');
    await alice.screenshot(`trouble-pause-${how.replaceAll(' ', '-')}`);
    expect((await stage.live.look(task)).recordings).toMatchObject([{ status: 'in-progress' }]);
    // And when it is over, it is over.
    await alice.page.unrouteAll({ behavior: 'ignoreErrors' });
    await alice.page.getByTestId('flex-custody-pause').click();
    await shows(alice, 'paused');
    await finish(alice);
  });

  test.each(failures)(
    '/start-recording answers with %s: the call goes on, and is said not to be recorded',
    async (how) => {
      const before = await stage.metric('custody_reports_total', { kind: 'not-recorded' });
      await fail('start-recording', how);
      await alice.page.evaluate(
        `Twilio.Flex.Actions.invokeAction('StartOutboundCall', { destination: '+14155550177' })`,
      );
      const [task] = await joined(alice);
      // Several attempts, since Twilio may see a leg later than Flex does.
      await shows(alice, 'not-recorded');
      await alice.screenshot(`trouble-start-${how.replaceAll(' ', '-')}`);
      expect((await stage.live.look(task!.taskSid)).recordings).toEqual([]);
      expect((await stage.live.look(task!.taskSid)).task.status).toBe('assigned');
      expect(await stage.metric('custody_reports_total', { kind: 'not-recorded' })).toBe(before + 1);
      await alice.page.unrouteAll({ behavior: 'ignoreErrors' });
      await alice.page.getByTestId('flex-custody-start').click();
      await shows(alice, 'recording');
      expect((await stage.live.look(task!.taskSid)).recordings).toMatchObject([
        { of: 'leg', status: 'in-progress' },
      ]);
      await finish(alice);
    },
  );

  test('a token that is renewed in the middle of a call is the one that is used', async () => {
    await stage.live.ring({ worker: stage.workers[0] });
    await alice.accept();
    await joined(alice);
    await shows(alice, 'recording');
    await alice.page.getByTestId('flex-custody-pause').click();
    await shows(alice, 'paused');
    const { token } = await stage.live.renewToken(stage.workers[0]);
    await alice.page.waitForFunction(
      `Twilio.Flex.Manager.getInstance().user.token === ${JSON.stringify(token)}`,
    );
    // The one before is refused from now on.
    await alice.page.getByTestId('flex-custody-resume').click();
    await shows(alice, 'recording');
  });

  test('another plugin that breaks the acceptance’s options keeps nobody from the call', async () => {
    await alice.page.evaluate(`Twilio.Flex.Actions.addListener('beforeAcceptTask', (payload) => {
      const { record, ...others } = payload.conferenceOptions;
      payload.conferenceOptions = others;
    })`);
    const { task } = await stage.live.ring({ worker: stage.workers[0] });
    await alice.accept();
    await joined(alice);
    // What the acceptance could not start is asked for once the leg has joined.
    await shows(alice, 'recording');
    expect((await stage.live.look(task)).recordings).toMatchObject([{ of: 'leg', status: 'in-progress' }]);
    await finish(alice);
    await stage.custody(task, 1);
  });
});
