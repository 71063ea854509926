import type { RecorderView } from '../../../sandbox/src/page/contract.ts';
import type { FlexDesktop } from '../../support/flex.ts';
import { describeWhere } from '../../support/needs.ts';
import { until } from '../../support/until.ts';
import { finish, joined, type Stage, setStage } from './stage.ts';

jest.setTimeout(180_000);

describeWhere(['chromium', 'plugins'], 'holding a call', () => {
  let stage: Stage;
  let alice: FlexDesktop;

  beforeAll(async () => {
    // Without the host's own looks at live calls, which would find the hold too.
    stage = await setStage({ serverEnv: { CUSTODY_WATCH_CALLS: 'false' } });
    stage.stack.sendAgentEvents();
    // Whether Twilio sends events of holds for a plain Flex is unknown: here the plugin's reports have to suffice.
    for (const { types } of stage.stack.sandbox.twilio.world.subscriptions.values())
      for (const type of types.keys()) if (type.startsWith('com.twilio.voice.')) types.delete(type);
    alice = await stage.open(stage.workers[0]);
  });
  afterEach(() => stage?.clear());
  afterAll(() => stage?.close());

  const sessionOf = async (task: string) => {
    const view = (await (await fetch(`${stage.stack.urls.sandbox}/sandbox/recorder`)).json()) as RecorderView;
    return 'unreachable' in view ? undefined : view.sessions.find(({ session }) => session === task);
  };
  const hold = () => alice.page.getByTestId('hold-task').first().click();

  test('in the desktop is a hold of the session, which ends when the agent ends it', async () => {
    const { task } = await stage.live.ring({ worker: stage.workers[0] });
    await alice.accept();
    await joined(alice);
    await until(async () => (await sessionOf(task))?.holds === 0);
    await hold();
    await until(async () => typeof (await sessionOf(task))?.onHoldAt === 'string');
    await hold();
    await until(async () => (await sessionOf(task))?.onHoldAt === null);
    expect(await sessionOf(task)).toMatchObject({ kind: 'voice', agent: stage.workers[0], holds: 1 });
    await finish(alice);
    await until(async () => (await sessionOf(task)) === undefined);
  });
});
