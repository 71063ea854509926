import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Sandbox, startSandbox } from '../../sandbox/src/index.ts';
import { type FlexDesktop, liveCalls, openFlex } from '../support/flex.ts';
import { describeWhere } from '../support/needs.ts';

jest.setTimeout(180_000);

describeWhere('flex', 'the real Flex desktop', () => {
  let folder: string;
  let sandbox: Sandbox;
  let functions: Server;
  let live: ReturnType<typeof liveCalls>;
  let alice: FlexDesktop;
  let workers: string[];
  const callbacks: URLSearchParams[] = [];
  const asked: Record<string, unknown>[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'flex-desktop-'));
    functions = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => {
        body += part;
      });
      request.on('end', () => {
        callbacks.push(new URLSearchParams(body));
        response.end();
      });
    });
    await new Promise<void>((resolve) => functions.listen(0, '127.0.0.1', resolve));
    sandbox = await startSandbox({
      port: 0,
      dataDir: folder,
      functionsBaseUrl: 'https://flex-custody-4200-dev.twil.io',
      functionsOrigin: `http://127.0.0.1:${(functions.address() as AddressInfo).port}`,
      publicHostUrl: 'http://127.0.0.1:4100',
      // Plugins are tested where they are at home; here Flex is as Twilio ships it.
      flex: { plugins: [] },
    });
    sandbox.twilio.events.subscribe((event) => {
      if (event.event === 'taskrouter.asked') asked.push(event['params'] as Record<string, unknown>);
    });
    live = liveCalls(sandbox);
    workers = [...sandbox.twilio.world.workers.keys()];
    alice = await openFlex(sandbox, { worker: workers[0]! });
  });
  afterAll(async () => {
    await alice?.close();
    await sandbox?.close();
    functions?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  // What one test has left behind is not the next one's business.
  afterEach(async () => {
    for (const reservation of sandbox.twilio.world.reservations.values()) {
      const task = sandbox.twilio.world.tasks.get(reservation.taskSid)!;
      if (task.status === 'completed' || task.status === 'canceled') continue;
      sandbox.twilio.exchange.customerHangUp(task);
      sandbox.twilio.exchange.complete(reservation);
    }
    await alice.until('gone', (all) => all.length === 0).catch(() => alice.page.reload());
  });

  /** As a plugin does: more conferenceOptions on top of Flex's own. */
  const recordBy = (desktop: FlexDesktop, options: object) =>
    desktop.page.evaluate(`Twilio.Flex.Actions.replaceAction('AcceptTask', (payload, original) =>
      original({ ...payload, conferenceOptions: { ...payload.conferenceOptions, ...${JSON.stringify(options)} } }))`);
  /** Each desktop hears of the others' doing by events of its own, so what one shows the next shows soon. */
  const untilIn = (desktop: FlexDesktop, types: readonly string[]) =>
    desktop.until(`in: ${types.join(', ')}`, ([task]) => {
      const joined = (task?.participants ?? []).filter(({ status }) => status === 'joined');
      return isDeepStrictEqual(
        joined.map(({ type }) => type),
        types,
      );
    });

  test('rings, is accepted by the real button, shows who is in the conference, hangs up and wraps up', async () => {
    await recordBy(alice, {
      record: 'true',
      recordingChannels: 'dual',
      recordingStatusCallback:
        'https://flex-custody-4200-dev.twil.io/recording-status-callback?taskSid=x#rc=5&rp=all',
    });
    const { task, reservation, customerCall } = await live.ring({ worker: workers[0]! });
    await alice.page.getByTestId('accept-task').first().waitFor();
    await alice.screenshot('ringing');
    await alice.accept();
    expect(asked).toContainEqual(
      expect.objectContaining({ Instruction: 'conference', Record: 'true', RecordingChannels: 'dual' }),
    );
    const [seen] = await alice.until('both in', ([one]) => one?.participants.length === 2);
    const during = await live.look(task);
    expect(seen).toMatchObject({
      sid: reservation,
      conferenceSid: during.conference!.sid,
      participants: [
        { type: 'customer', callSid: customerCall, self: false, status: 'joined' },
        { type: 'worker', callSid: during.legs[1]!.call, self: true, status: 'joined' },
      ],
    });
    expect(during).toMatchObject({
      task: { status: 'assigned' },
      conference: { status: 'in-progress' },
      legs: [{ label: 'customer' }, { to: 'client:alice_40northwind_2Eexample', status: 'in-progress' }],
      recordings: [{ of: 'leg', call: during.legs[1]!.call, status: 'in-progress', channels: 2 }],
    });
    await alice.screenshot('live');

    await alice.hangUp();
    await alice.until('wrapping', ([one]) => one?.status === 'wrapping');
    await alice.screenshot('wrapping');
    await alice.complete();
    await alice.until('gone', (all) => all.length === 0);
    const after = await live.look(task);
    expect(after).toMatchObject({
      task: { status: 'completed' },
      conference: { status: 'completed' },
      reservations: [{ status: 'completed' }],
      recordings: [{ status: 'completed', source: 'OutboundAPI' }],
    });
    const [recording] = after.recordings;
    const { media } = sandbox.twilio.world.recordings.get(recording!.sid)!;
    expect(media!.size(2)).toBe(44 + Math.round(recording!.seconds * 8000) * 4);
    expect(callbacks.map((form) => form.get('RecordingSid'))).toContain(recording!.sid);
  });

  test('asks nobody beyond this machine', () => {
    expect(alice.strangers).toEqual([]);
  });

  test('a boolean record makes the acceptance fail, as at Twilio', async () => {
    await recordBy(alice, { record: true });
    const { task } = await live.ring({ worker: workers[0]! });
    await alice.page.getByTestId('accept-task').first().click();
    await alice.page.waitForTimeout(1_000);
    expect((await live.look(task)).reservations).toMatchObject([{ status: 'pending' }]);
    await live.act(task, 'customer-hangup');
    await alice.until('gone', (all) => all.length === 0);
    await recordBy(alice, {});
  });

  test('sees what others write into the task, and holds its customer', async () => {
    const { task } = await live.ring({ worker: workers[0]! });
    await alice.accept();
    const held = sandbox.twilio.world.tasks.get(task)!;
    sandbox.twilio.exchange.updateTask(held, {
      attributes: JSON.stringify({ ...(JSON.parse(held.attributes) as object), marked: { by: 'host' } }),
    });
    await alice.until('marked', ([one]) => one?.attributes['marked'] !== undefined);
    await alice.page.getByTestId('hold-task').first().click();
    await alice.until('held', ([one]) => one?.participants[0]?.onHold === true);
    expect((await live.look(task)).legs[0]).toMatchObject({ label: 'customer', hold: true });
    await live.act(task, 'customer-hangup');
    await alice.until('wrapping', ([one]) => one?.status === 'wrapping');
    await alice.complete();
    await alice.until('gone', (all) => all.length === 0);
  });

  test('its token can be renewed in the middle of a call; the old one is refused then', async () => {
    const token = () => alice.page.evaluate<string>('Twilio.Flex.Manager.getInstance().user.token');
    await alice.page.evaluate(
      `Twilio.Flex.Manager.getInstance().events.once('tokenUpdated', () => { window.renewed = true; })`,
    );
    const before = await token();
    const answer = await live.renewToken(workers[0]!);
    await alice.page.waitForFunction('window.renewed === true');
    expect(await token()).toBe(answer.token);
    expect(answer.token).not.toBe(before);
    expect(sandbox.twilio.world.tokens.has(before)).toBe(false);
  });

  test('an outbound call is accepted by Flex itself, and the customer joins when they answer', async () => {
    await alice.page.evaluate(
      `Twilio.Flex.Actions.invokeAction('StartOutboundCall', { destination: '+14155550177' })`,
    );
    const [task] = await alice.until('both in', ([one]) => one?.participants.length === 2);
    expect(task!.attributes).toMatchObject({ direction: 'outbound', outbound_to: '+14155550177' });
    expect(task!.attributes).not.toHaveProperty('conference');
    await untilIn(alice, ['worker', 'customer']);
    await alice.hangUp();
    await alice.complete();
    await alice.until('gone', (all) => all.length === 0);
  });

  test('a chat is accepted without a conference', async () => {
    const { task } = await live.ring({ worker: workers[0]!, channel: 'chat' });
    await alice.accept();
    expect(await live.look(task)).toMatchObject({ task: { status: 'assigned' }, legs: [] });
    await live.act(task, 'complete');
    await alice.until('gone', (all) => all.length === 0);
  });

  test('a reload in the middle of a call hangs up, as the Voice SDK does, and finds the task again', async () => {
    const { task } = await live.ring({ worker: workers[0]! });
    await alice.accept();
    await alice.page.reload();
    await alice.page.getByTestId('activity-dropdown-button').first().waitFor();
    const [seen] = await alice.until('found again', (all) => all.length === 1);
    expect(seen).toMatchObject({ taskSid: task, status: 'wrapping' });
    await alice.complete();
    await alice.until('gone', (all) => all.length === 0);
  });

  describe('with a second agent in a browser of their own', () => {
    let bruno: FlexDesktop;
    beforeAll(async () => {
      bruno = await openFlex(sandbox, { worker: workers[1]! });
    });
    afterAll(() => bruno?.close());
    const toBruno = async (label: string) => {
      await alice.until('both in', ([one]) => one?.participants.length === 2);
      await alice.page.getByTestId('call-transfer').click();
      await alice.page.getByText('Bruno Berg').first().hover();
      await alice.page.getByRole('button', { name: `${label} Bruno Berg` }).click();
    };

    test('a cold transfer takes the first one out', async () => {
      const { task } = await live.ring({ worker: workers[0]! });
      await alice.accept();
      await toBruno('Transfer to');
      await alice.until('out', ([one]) => one?.status === 'wrapping');
      expect((await live.look(task)).legs).toMatchObject([
        { label: 'customer', hold: true, participant: 'connected' },
        { worker: workers[0], participant: 'complete' },
      ]);
      await bruno.accept();
      await bruno.until('in', ([one]) => one?.participants.filter((p) => p.status === 'joined').length === 2);
      await alice.complete();
      await bruno.hangUp();
      await bruno.complete();
      await bruno.until('gone', (all) => all.length === 0);
      expect(await live.look(task)).toMatchObject({
        task: { status: 'completed' },
        reservations: [{ status: 'completed' }, { status: 'completed' }],
        transfers: [{ mode: 'COLD', status: 'complete' }],
      });
      expect(bruno.complaints).toEqual([]);
    });

    test('in a warm one both speak, until the first leaves', async () => {
      const { task } = await live.ring({ worker: workers[0]! });
      await alice.accept();
      await toBruno('Consult');
      await bruno.accept();
      await alice.until('three', ([one]) => one?.participants.filter((p) => p.callSid).length === 3);
      await alice.screenshot('three');
      await untilIn(bruno, ['customer', 'worker', 'worker']);
      await alice.hangUp();
      await alice.complete();
      expect((await live.look(task)).conference).toMatchObject({ status: 'in-progress' });
      await live.act(task, 'customer-hangup');
      await bruno.until('wrapping', ([one]) => one?.status === 'wrapping');
      await bruno.complete();
      await bruno.until('gone', (all) => all.length === 0);
    });

    test('a consultation can be called off before it is answered', async () => {
      const { task } = await live.ring({ worker: workers[0]! });
      await alice.accept();
      await toBruno('Consult');
      await bruno.until('rings', ([one]) => one?.status === 'pending');
      await live.act(task, 'cancel-transfer');
      await bruno.until('gone', (all) => all.length === 0);
      await untilIn(alice, ['customer', 'worker']);
      await alice.hangUp();
      await alice.complete();
      await alice.until('gone', (all) => all.length === 0);
    });
  });

  test('a crash in the middle of a call leaves it alive; the browser gets a new leg', async () => {
    const { task } = await live.ring({ worker: workers[0]! });
    await alice.accept();
    await live.act(task, 'lose-hangup');
    await alice.page.reload();
    await alice.page.getByTestId('activity-dropdown-button').first().waitFor();
    await alice.until('found again', ([one]) => one?.participants.length === 2);
    const [seen] = await alice.tasks();
    expect(seen).toMatchObject({ status: 'accepted', participants: [{ type: 'customer' }, { self: true }] });
    await live.act(task, 'refresh-leg');
    const { legs } = await live.look(task);
    expect(legs.map(({ participant }) => participant)).toEqual(['connected', 'complete', 'connected']);
    await alice.until('new leg', ([one]) => one!.participants.some((p) => p.callSid === legs[2]!.call));
    await alice.hangUp();
    await alice.until('wrapping', ([one]) => one?.status === 'wrapping');
    await alice.complete();
    await alice.until('gone', (all) => all.length === 0);
  });

  test('a supervisor sees the teams, and listens in on a call', async () => {
    const carla = await openFlex(sandbox, { worker: workers[2]!, roles: ['supervisor'] });
    try {
      const { task } = await live.ring({ worker: workers[0]! });
      await alice.accept();
      await carla.page.evaluate(`Twilio.Flex.Actions.invokeAction('NavigateToView', { viewName: 'teams' })`);
      await carla.page.getByText('+1 415-555-0142').first().click();
      await carla.page.getByRole('button', { name: 'Monitor Call' }).click();
      await carla.page.getByText('You are listening to a call').waitFor();
      await carla.screenshot('supervisor');
      const address = 'client:carla_40northwind_2Eexample';
      const listening = async () => (await live.look(task)).legs.find(({ to }) => to === address);
      expect(await listening()).toMatchObject({ participant: 'connected', muted: true });
      await untilIn(alice, ['customer', 'worker']);
      await carla.page.getByText('Stop listening').click();
      await carla.page.getByText('You are listening to a call').waitFor({ state: 'detached' });
      expect(await listening()).toMatchObject({ participant: 'complete' });
      await alice.hangUp();
      await alice.complete();
      await alice.until('gone', (all) => all.length === 0);
    } finally {
      await carla.close();
    }
  });
});
