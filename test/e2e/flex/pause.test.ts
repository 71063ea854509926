import type { FlexDesktop } from '../../support/flex.ts';
import { describeWhere, inFull } from '../../support/needs.ts';
import { patienceMs } from '../../support/until.ts';
import { findings, finish, joined, type Stage, setStage, shows, transfer } from './stage.ts';

jest.setTimeout(180_000);

/** Seconds; long enough for what a test does while a call is paused, short enough to be waited for. */
const resumeAfter = 25;

describeWhere(['chromium', 'plugins'], 'pausing a recording', () => {
  let stage: Stage;
  let alice: FlexDesktop;
  let bruno: FlexDesktop;

  beforeAll(async () => {
    stage = await setStage({ serverEnv: { CUSTODY_PAUSE_RESUME_SECONDS: `${resumeAfter}` } });
    alice = await stage.open(stage.workers[0]);
    bruno = await stage.open(stage.workers[1]);
  });
  afterEach(() => stage?.clear());
  afterAll(() => stage?.close());

  const pause = (desktop: FlexDesktop) => desktop.page.getByTestId('flex-custody-pause').click();
  const resume = (desktop: FlexDesktop) => desktop.page.getByTestId('flex-custody-resume').click();
  const all = (task: string, status: string, ms = patienceMs) =>
    stage.until(
      task,
      `all recordings ${status}`,
      ({ recordings }) => {
        const live = recordings.filter((one) => one.status !== 'completed');
        return live.length > 0 && live.every((one) => one.status === status);
      },
      ms,
    );
  const ring = async () => {
    const rung = await stage.live.ring({ worker: stage.workers[0] });
    await alice.accept();
    await joined(alice);
    await shows(alice, 'recording');
    return rung;
  };

  test('by the button, and on again; the indicator counts, and both work by keyboard', async () => {
    const { task } = await ring();
    await pause(alice);
    await shows(alice, 'paused');
    const { task: marked } = await all(task, 'paused');
    expect(marked.attributes).toMatchObject({
      flex_custody: { paused: { since: expect.any(Number), by: stage.workers[0] } },
    });
    await alice.page.waitForFunction(
      `/0:0[1-9]/.test(document.querySelector('[data-testid="flex-custody-paused-for"]').textContent)`,
    );
    expect(await findings(alice, '[data-testid^="flex-custody"]')).toEqual([]);
    await alice.screenshot('pause-1-paused');
    await alice.page.getByTestId('flex-custody-resume').focus();
    await alice.page.keyboard.press('Enter');
    await shows(alice, 'recording');
    const { task: after } = await all(task, 'in-progress');
    expect(after.attributes).not.toHaveProperty('flex_custody');
    await alice.page.getByTestId('flex-custody-pause').focus();
    await alice.page.keyboard.press('Space');
    await shows(alice, 'paused');
    await finish(alice);
    await stage.custody(task, 1);
  });

  test('a page that is reloaded while paused still says so, and ends it', async () => {
    const { task } = await ring();
    await pause(alice);
    await shows(alice, 'paused');
    await stage.live.act(task, 'lose-hangup');
    await alice.page.reload();
    await shows(alice, 'paused');
    await alice.screenshot('pause-2-reloaded');
    await all(task, 'paused');
    await resume(alice);
    await shows(alice, 'recording');
    await all(task, 'in-progress');
  });

  test('a tab that is killed while paused leaves no call paused: the host’s timer resumes it', async () => {
    const carla = await stage.open(stage.workers[2]);
    const { task } = await stage.live.ring({ worker: stage.workers[2] });
    await carla.accept();
    await shows(carla, 'recording');
    await pause(carla);
    await shows(carla, 'paused');
    await all(task, 'paused');
    await stage.live.act(task, 'lose-hangup');
    await carla.close();
    await all(task, 'in-progress', (resumeAfter + 25) * 1000);
    const { task: after } = await stage.until(
      task,
      'no mark',
      (view) => !JSON.stringify(view.task.attributes).includes('flex_custody'),
    );
    expect(after.status).toBe('assigned');
  });

  test('a pause follows a transfer: the second agent sees it, and their leg is paused too', async () => {
    const { task } = await ring();
    await pause(alice);
    await shows(alice, 'paused');
    await transfer(alice, 'Consult', 'Bruno Berg');
    await bruno.accept();
    await shows(bruno, 'paused');
    const { recordings } = await all(task, 'paused');
    expect(recordings).toHaveLength(2);
    await bruno.screenshot('pause-3-transferred');
    await finish(alice);
    await joined(bruno);
    await shows(bruno, 'paused');
    await resume(bruno);
    await shows(bruno, 'recording');
    await all(task, 'in-progress');
    await finish(bruno);
    await stage.custody(task, 2);
  });

  inFull('a supervisor sees it, and has no button', async () => {
    const carla = await stage.open(stage.workers[2], ['supervisor']);
    const { task } = await ring();
    await pause(alice);
    await shows(alice, 'paused');
    await carla.page.evaluate(`Twilio.Flex.Actions.invokeAction('NavigateToView', { viewName: 'teams' })`);
    await carla.page.getByText('+1 415-555-0142').first().click();
    await shows(carla, 'paused');
    await carla.screenshot('pause-4-supervisor');
    expect(await carla.page.getByTestId('flex-custody-resume').count()).toBe(0);
    await resume(alice);
    await shows(carla, 'recording');
    await all(task, 'in-progress');
    await carla.close();
  });

  test('another’s call is not to be paused, whatever its SIDs and attributes say', async () => {
    const { task, reservation } = await ring();
    const { conference } = await stage.live.look(task);
    const answer = await bruno.page.evaluate<[number, string]>(`fetch(${JSON.stringify(
      `${stage.stack.urls.functions}/pause-recording`,
    )}, { method: 'POST', body: new URLSearchParams({
      Token: Twilio.Flex.Manager.getInstance().user.token,
      taskSid: '${task}', reservationSid: '${reservation}', conferenceSid: '${conference!.sid}',
    }) }).then(async (response) => [response.status, (await response.json()).error])`);
    expect(answer).toEqual([403, 'not_your_call']);
    await all(task, 'in-progress');
  });

  inFull(
    'with the host away a call is paused all the same, and the host hears of it when it is back',
    async () => {
      const { task } = await ring();
      await stage.stack.stopServer();
      try {
        await pause(alice);
        await shows(alice, 'paused');
        await all(task, 'paused');
        expect(
          await alice.page.evaluate('Object.values(localStorage).some((text) => text.includes("paused"))'),
        ).toBe(true);
      } finally {
        await stage.stack.startServer();
      }
      const heard = () => stage.metric('custody_reports_total', { kind: 'paused', by: 'browser' });
      for (let tries = 0; (await heard()) === 0 && tries < 400; tries += 1)
        await alice.page.waitForTimeout(100);
      expect(await heard()).toBe(1);
      // By its timer, that it learnt from the report alone.
      await all(task, 'in-progress', (resumeAfter + 25) * 1000);
    },
  );

  inFull('switched off there is no button, and the Function refuses', async () => {
    await stage.stack.stopServer();
    await stage.stack.startServer({ TwilioEnablePauseResume: 'False' });
    try {
      await stage.reopen(alice, {});
      const { task, reservation } = await ring();
      await alice.page.waitForTimeout(500);
      expect(await alice.page.getByTestId('flex-custody-pause').count()).toBe(0);
      const answer = await alice.page.evaluate<[number, string]>(`fetch(${JSON.stringify(
        `${stage.stack.urls.functions}/pause-recording`,
      )}, { method: 'POST', body: new URLSearchParams({
        Token: Twilio.Flex.Manager.getInstance().user.token, taskSid: '${task}', reservationSid: '${reservation}',
      }) }).then(async (response) => [response.status, (await response.json()).error])`);
      expect(answer).toEqual([403, 'pause_disabled']);
      await all(task, 'in-progress');
    } finally {
      await stage.stack.stopServer();
      await stage.stack.startServer();
    }
  });
});
