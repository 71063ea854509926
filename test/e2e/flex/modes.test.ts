import type { FlexDesktop } from '../../support/flex.ts';
import { describeWhere, inFull } from '../../support/needs.ts';
import { complaintsOf, finish, joined, type Stage, setStage, shows } from './stage.ts';

jest.setTimeout(120_000);

/** What settings change: the modes, the rules, and what is wrong in them. */
describeWhere(['chromium', 'plugins'], 'recording by settings', () => {
  let stage: Stage;
  let alice: FlexDesktop;
  const flexOn = { call_recording_enabled: true };

  beforeAll(async () => {
    stage = await setStage();
    alice = await stage.open(stage.workers[0], ['admin']);
  });
  afterEach(() => stage?.clear());
  afterAll(() => stage?.close());

  /** A call of a second, and its recordings by what they are of. */
  async function call(options: Parameters<Stage['live']['ring']>[0] = {}) {
    const rung = await stage.live.ring({ worker: stage.workers[0], ...options });
    if (options.direction !== 'internal') await alice.accept();
    return rung;
  }
  const recorded = async (task: string) =>
    (await stage.live.look(task)).recordings.map((one) => one.of).sort();

  test('theirs: Flex records the conference, and its callback is ours', async () => {
    await stage.reopen(alice, { recording: { mode: 'theirs' } }, flexOn);
    const { task } = await call();
    await joined(alice);
    await shows(alice, 'recording');
    expect(await recorded(task)).toEqual(['conference']);
    await finish(alice);
    const links = await stage.custody(task, 1);
    const { recordings } = await stage.live.look(task);
    expect(links).toEqual({ task: [recordings[0]!.sid] });
  });

  inFull('theirs, and Flex’s own switch off: not recorded, and why', async () => {
    await stage.reopen(alice, { recording: { mode: 'theirs' } });
    const { task } = await call();
    await shows(alice, 'not-recorded');
    await alice.page.getByText("Flex's own call recording is switched off").waitFor();
    expect(await recorded(task)).toEqual([]);
  });

  inFull('both: the leg and the conference, on purpose', async () => {
    await stage.reopen(alice, { recording: { mode: 'both' } }, flexOn);
    const { task } = await call();
    await joined(alice);
    await shows(alice, 'recording');
    expect(await recorded(task)).toEqual(['conference', 'leg']);
    await finish(alice);
    await stage.custody(task, 2);
  });

  test('ours, and Flex’s own switch on by accident: one recording, and an admin is told once', async () => {
    await stage.reopen(alice, {}, flexOn);
    const before = await stage.metric('custody_reports_total', { kind: 'double-recording' });
    const twice = alice.page.getByText('Calls would be recorded twice').first();
    await twice.waitFor();
    await alice.screenshot('modes-double');
    // Flex's notification lies over Accept for as long as it shows.
    await twice.waitFor({ state: 'detached' });
    const first = await call();
    await shows(alice, 'recording');
    expect(await recorded(first.task)).toEqual(['leg']);
    await finish(alice);
    const second = await call();
    await shows(alice, 'recording');
    await alice.page.waitForTimeout(1_000);
    expect(await twice.count()).toBe(0);
    expect(await recorded(second.task)).toEqual(['leg']);
    expect((await stage.metric('custody_reports_total', { kind: 'double-recording' })) - before).toBe(1);
  });

  test('between agents, by setting: the leg of the one who called', async () => {
    await stage.reopen(alice, { recording: { internal: true } });
    const { task } = await call({ direction: 'internal' });
    await shows(alice, 'recording');
    expect(await recorded(task)).toEqual(['leg']);
  });

  test('a rule that says never', async () => {
    await stage.reopen(alice, { recording: { rules: [{ queue: 'Health', verdict: 'never' }] } });
    const health = await call({ queue: 'Health' });
    await shows(alice, 'not-recorded');
    await alice.page.getByText('By rule, this call is not recorded.').waitFor();
    await alice.screenshot('modes-never');
    expect(await recorded(health.task)).toEqual([]);
    await finish(alice);
    const other = await call();
    await shows(alice, 'recording');
    expect(await recorded(other.task)).toEqual(['leg']);
  });

  test('a rule that says on demand: nothing until the agent asks, and once only', async () => {
    const rule = { attribute: { path: 'topic', equals: 'contract' }, verdict: 'on-demand' };
    await stage.reopen(alice, { recording: { rules: [rule] } });
    const { task, reservation } = await call({ attributes: { topic: 'contract' } });
    await joined(alice);
    await shows(alice, 'not-recorded');
    expect(await recorded(task)).toEqual([]);
    await alice.screenshot('modes-on-demand');
    await alice.page.getByTestId('flex-custody-start').click();
    await shows(alice, 'recording');
    expect(await recorded(task)).toEqual(['leg']);
    await finish(alice);
    expect(Object.keys(await stage.custody(task, 1))).toEqual([reservation]);
  });

  inFull('a setting that cannot be read is named to the admin, and the safe default holds', async () => {
    await stage.reopen(alice, { recording: { mode: 'Ours' } });
    await alice.page.getByText('recording.mode').first().waitFor();
    await alice.screenshot('modes-wrong-setting');
    await alice.page.getByText('recording.mode').first().waitFor({ state: 'detached' });
    const { task } = await call();
    await shows(alice, 'recording');
    expect(await recorded(task)).toEqual(['leg']);
  });

  test('without the Functions’ address the call is taken all the same, and the host hears of it', async () => {
    await stage.reopen(alice, { functions_url: '' });
    const before = await stage.metric('custody_reports_total', { reason: 'settings-invalid' });
    await alice.page.getByText('functions_url').first().waitFor();
    await alice.page.getByText('functions_url').first().waitFor({ state: 'detached' });
    const { task } = await call();
    await joined(alice);
    await shows(alice, 'not-recorded');
    expect(await recorded(task)).toEqual([]);
    await finish(alice);
    expect((await stage.metric('custody_reports_total', { reason: 'settings-invalid' })) - before).toBe(1);
  });

  test('nothing but the wrong settings was complained of', () => {
    expect(complaintsOf(alice).filter((text) => !text.includes('must'))).toEqual([]);
  });
});
