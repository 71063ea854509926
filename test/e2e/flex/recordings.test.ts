import type { FlexDesktop } from '../../support/flex.ts';
import { describeWhere } from '../../support/needs.ts';
import {
  complaintsOf,
  findings,
  finish,
  indicator,
  joined,
  type Stage,
  setStage,
  shows,
  transfer,
} from './stage.ts';

jest.setTimeout(120_000);

/** What each call must yield, in the real desktop, by the real host. */
describeWhere(['chromium', 'plugins'], 'what each call yields', () => {
  let stage: Stage;
  let alice: FlexDesktop;
  let bruno: FlexDesktop;

  beforeAll(async () => {
    stage = await setStage();
    alice = await stage.open(stage.workers[0]);
    bruno = await stage.open(stage.workers[1]);
  });
  afterEach(() => stage?.clear());
  afterAll(() => stage?.close());

  test('inbound: one recording, of the agent’s leg, linked to the reservation, and played', async () => {
    const { task, reservation } = await stage.live.ring({ worker: stage.workers[0] });
    await alice.page.getByTestId('accept-task').first().waitFor();
    await alice.screenshot('recording-1-ringing');
    await alice.accept();
    await joined(alice);
    await shows(alice, 'recording');
    expect(await stage.live.look(task)).toMatchObject({
      recordings: [{ of: 'leg', status: 'in-progress', channels: 2 }],
    });
    expect(await findings(alice, '[data-testid^="flex-custody"]')).toEqual([]);
    await alice.screenshot('recording-2-live');
    await alice.page.waitForTimeout(1_500);
    await finish(alice);
    const links = await stage.custody(task, 1);
    const { recordings } = await stage.live.look(task);
    expect(links).toEqual({ [reservation]: [recordings[0]!.sid] });
    expect(await indicator(alice).count()).toBe(0);
    expect(await played(stage, recordings[0]!.sid)).toBe(true);
  });

  test('a cold transfer: two, one a leg, each at its own reservation', async () => {
    const { task, reservation } = await stage.live.ring({ worker: stage.workers[0] });
    await alice.accept();
    await transfer(alice, 'Transfer to', 'Bruno Berg');
    await alice.until('out', ([one]) => one?.status === 'wrapping');
    await bruno.accept();
    await joined(bruno);
    await shows(bruno, 'recording');
    const [second] = await bruno.tasks();
    await finish(alice);
    await finish(bruno);
    const links = await stage.custody(task, 2);
    const { recordings } = await stage.live.look(task);
    expect(Object.keys(links).sort()).toEqual([reservation, second!.sid].sort());
    expect(links[reservation]).toEqual([recordings[0]!.sid]);
    expect(links[second!.sid]).toEqual([recordings[1]!.sid]);
  });

  test('a warm transfer that is completed: one a leg, each at its own reservation', async () => {
    const { task, reservation } = await stage.live.ring({ worker: stage.workers[0] });
    await alice.accept();
    await transfer(alice, 'Consult', 'Bruno Berg');
    await bruno.accept();
    await joined(alice, 3);
    await shows(bruno, 'recording');
    const [second] = await bruno.tasks();
    await finish(alice);
    await joined(bruno);
    await finish(bruno);
    const links = await stage.custody(task, 2);
    expect(Object.keys(links).sort()).toEqual([reservation, second!.sid].sort());
    for (const list of Object.values(links)) expect(list).toHaveLength(1);
  });

  test('a consultation after which the first agent goes on: one a leg, each at its own reservation', async () => {
    const { task, reservation } = await stage.live.ring({ worker: stage.workers[0] });
    await alice.accept();
    await transfer(alice, 'Consult', 'Bruno Berg');
    await bruno.accept();
    await joined(alice, 3);
    const [second] = await bruno.tasks();
    await finish(bruno);
    await joined(alice);
    await shows(alice, 'recording');
    await finish(alice);
    const links = await stage.custody(task, 2);
    expect(Object.keys(links).sort()).toEqual([reservation, second!.sid].sort());
  });

  test('a warm transfer called off before it is answered: one, of the first leg', async () => {
    const { task, reservation } = await stage.live.ring({ worker: stage.workers[0] });
    await alice.accept();
    await transfer(alice, 'Consult', 'Bruno Berg');
    await bruno.until('rings', ([one]) => one?.status === 'pending');
    await stage.live.act(task, 'cancel-transfer');
    await bruno.until('quiet', (all) => all.length === 0);
    await finish(alice);
    expect(Object.keys(await stage.custody(task, 1))).toEqual([reservation]);
  });

  test.each([
    ['do not reach it', false],
    ['reach it', true],
  ])('outbound, where the acceptance’s options %s: one, of the agent’s leg', async (_, reaches) => {
    const { behaviour } = stage.stack.sandbox.twilio.world;
    behaviour.acceptRecordsOutbound = reaches;
    await alice.page.evaluate(
      `Twilio.Flex.Actions.invokeAction('StartOutboundCall', { destination: '+14155550177' })`,
    );
    const [outbound] = await joined(alice);
    await shows(alice, 'recording');
    const during = await stage.live.look(outbound!.taskSid);
    expect(during.recordings).toMatchObject([
      {
        of: 'leg',
        status: 'in-progress',
        channels: 2,
        source: reaches ? 'OutboundAPI' : 'StartCallRecordingAPI',
      },
    ]);
    await alice.page.waitForTimeout(1_000);
    await finish(alice);
    behaviour.acceptRecordsOutbound = false;
    const links = await stage.custody(outbound!.taskSid, 1);
    expect(links).toEqual({ [outbound!.sid]: [during.recordings[0]!.sid] });
  });

  test('between agents: none, and the indicator says why', async () => {
    const { task } = await stage.live.ring({ worker: stage.workers[0], direction: 'internal' });
    // Who calls has accepted by calling.
    await shows(alice, 'not-recorded');
    await alice.page.getByText('Calls between agents are not recorded.').waitFor();
    expect((await stage.live.look(task)).recordings).toEqual([]);
    await finish(alice);
  });

  test('the agent reloads the page and rejoins: one a leg, at the same reservation, the first one first', async () => {
    const { task, reservation } = await stage.live.ring({ worker: stage.workers[0] });
    await alice.accept();
    await shows(alice, 'recording');
    // A browser that dies says nothing to Twilio, so that the call outlives it.
    await stage.live.act(task, 'lose-hangup');
    await alice.page.reload();
    await shows(alice, 'recording');
    await stage.live.act(task, 'refresh-leg');
    const { recordings } = await stage.until(
      task,
      'the new leg is recorded',
      (view) =>
        view.recordings.filter(({ status }) => status === 'in-progress').length === 1 &&
        view.recordings.length === 2,
    );
    await shows(alice, 'recording');
    await finish(alice);
    const links = await stage.custody(task, 2);
    expect(links).toEqual({ [reservation]: recordings.map(({ sid }) => sid) });
  });

  test('a chat is none of ours', async () => {
    const { task } = await stage.live.ring({ worker: stage.workers[0], channel: 'chat' });
    await alice.accept();
    expect(await indicator(alice).count()).toBe(0);
    expect((await stage.live.look(task)).recordings).toEqual([]);
    await stage.live.act(task, 'complete');
    await alice.until('free', (all) => all.length === 0);
  });

  test('nothing of it complains', () => {
    const said = [...complaintsOf(alice), ...complaintsOf(bruno)];
    // A call that ends while the plugin asks to record it is answered with 404, which the browser itself reports.
    expect(said.filter((text) => !/404 .*\/start-recording\)$/.test(text))).toEqual([]);
  });
});

/** As a supervisor in Flex Insights. */
async function played(stage: Stage, recording: string): Promise<boolean> {
  const { sandbox, server } = stage.stack.urls;
  const { token } = (await (
    await fetch(`${sandbox}/sandbox/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ roles: ['supervisor'] }),
    })
  ).json()) as { token: string };
  const provided = await fetch(`${server}/url-provider?recording=${recording}`, {
    headers: { authorization: `Basic ${Buffer.from(`token:${token}`).toString('base64')}` },
  });
  const { media_url } = (await provided.json()) as { media_url: string };
  const heard = Buffer.from(await (await fetch(media_url)).arrayBuffer());
  const { media } = stage.stack.sandbox.twilio.world.recordings.get(recording) ?? {};
  return media !== undefined && heard.length === media.size(2);
}
