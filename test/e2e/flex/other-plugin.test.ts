import type { FlexDesktop } from '../../support/flex.ts';
import { describeWhere, inFull, isShortForm } from '../../support/needs.ts';
import { until } from '../../support/until.ts';
import { finish, joined, type Stage, setStage, shows } from './stage.ts';

jest.setTimeout(120_000);

interface Form {
  what: string;
  /** The other plugin's own AcceptTask: an expression in the page, of the payload and Flex's action. */
  accept: string;
  /** What is recorded in the end; the leg is ours, whoever had it started. */
  recordings?: string[];
  /** It is so with the acceptance, and nothing else must be started. */
  kept?: true;
}

const forms: Form[] = [
  {
    what: 'hands on options of its own, without recording',
    accept: `(p, original) => original({ ...p, conferenceOptions: { conferenceRecord: false, beep: 'false' } })`,
  },
  { what: 'hands on no options', accept: '(p, original) => original({ sid: p.sid, task: p.task })' },
  {
    what: 'has the conference recorded instead',
    accept: `(p, original) => original({ ...p, conferenceOptions: { conferenceRecord: 'true' } })`,
    recordings: ['conference', 'leg'],
  },
  {
    what: 'asks for something first, and hands on options of its own',
    accept: `async (p, original) => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      await original({ ...p, conferenceOptions: { conferenceRecord: false } });
    }`,
  },
  {
    what: 'asks for something first, and hands on what it was given',
    accept: `(p, original) => { setTimeout(() => original(p), 500); }`,
    kept: true,
  },
  {
    what: 'accepts by TaskRouter itself',
    accept: `(p) => Twilio.Flex.Manager.getInstance().workerClient.reservations.get(p.sid ?? p.task.sid)
      .conference({ startConferenceOnEnter: true, endConferenceOnExit: false })`,
  },
];
/** The check of every change plays those that differ the most. */
const played = isShortForm ? [forms[0]!, forms[4]!] : forms;

/** Another plugin in the place of Flex's AcceptTask: what is shown is what Twilio has, whatever was asked for. */
describeWhere(['chromium', 'plugins'], 'another plugin that replaces AcceptTask', () => {
  let stage: Stage;
  let alice: FlexDesktop;

  beforeAll(async () => {
    stage = await setStage();
    alice = await stage.open(stage.workers[0]);
  });
  beforeEach(() => stage.reopen(alice, {}));
  afterEach(async () => {
    await alice?.page.unrouteAll({ behavior: 'ignoreErrors' });
    await stage?.clear();
  });
  afterAll(() => stage?.close());

  const replace = (accept: string) =>
    alice.page.evaluate(`void Twilio.Flex.Actions.replaceAction('AcceptTask', ${accept})`);
  const recorded = async (task: string) =>
    (await stage.live.look(task)).recordings
      .filter(({ status }) => status === 'in-progress')
      .map((one) => one.of)
      .sort();

  test.each(played)('$what: recorded, and shown once it is', async ({ accept, recordings, kept }) => {
    await replace(accept);
    const { task } = await stage.live.ring({ worker: stage.workers[0] });
    const asked = alice.page.waitForResponse(/\/start-recording$/);
    await alice.accept();
    await joined(alice);
    expect(await (await asked).json()).toMatchObject({ of: 'leg', started: kept !== true });
    await shows(alice, 'recording');
    expect(await recorded(task)).toEqual(recordings ?? ['leg']);
    await finish(alice);
    // What the other plugin has recorded is not announced to us.
    if (!recordings) await stage.custody(task, 1);
  });

  test('and nothing can be started: not recorded, an alarm, and the agent may try again', async () => {
    await replace(forms[0]!.accept);
    const before = await stage.metric('custody_reports_total', { kind: 'not-recorded' });
    await alice.page.route('**/start-recording', (route) => route.abort('internetdisconnected'));
    const { task } = await stage.live.ring({ worker: stage.workers[0] });
    await alice.accept();
    await joined(alice);
    await shows(alice, 'not-recorded');
    await alice.screenshot('other-plugin-not-recorded');
    expect(await recorded(task)).toEqual([]);
    await until(async () => (await stage.metric('custody_alarms', { code: 'not_recorded' })) === 1);
    expect(await stage.metric('custody_reports_total', { kind: 'not-recorded' })).toBe(before + 1);
    await alice.page.unrouteAll({ behavior: 'ignoreErrors' });
    await alice.page.getByTestId('flex-custody-start').click();
    await shows(alice, 'recording');
    expect(await recorded(task)).toEqual(['leg']);
  });

  inFull('mode theirs, and the conference is not recorded: the leg is', async () => {
    await stage.reopen(alice, { recording: { mode: 'theirs' } }, { call_recording_enabled: true });
    await replace(forms[0]!.accept);
    const { task } = await stage.live.ring({ worker: stage.workers[0] });
    await alice.accept();
    await joined(alice);
    await shows(alice, 'recording');
    expect(await recorded(task)).toEqual(['leg']);
    await finish(alice);
    await stage.custody(task, 1);
  });

  inFull('a recording that was stopped is found out by pausing: another is started, and paused', async () => {
    const { task } = await stage.live.ring({ worker: stage.workers[0] });
    await alice.accept();
    await joined(alice);
    await shows(alice, 'recording');
    const { world } = stage.stack.sandbox.twilio;
    for (const one of world.recordings.values()) if (one.status === 'in-progress') one.status = 'stopped';
    await alice.page.getByTestId('flex-custody-pause').click();
    await shows(alice, 'paused');
    await alice.screenshot('other-plugin-made-good');
    const { recordings } = await stage.live.look(task);
    expect(recordings.map(({ status }) => status).sort()).toEqual(['paused', 'stopped']);
  });
});
