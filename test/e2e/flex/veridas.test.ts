import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { FlexDesktop } from '../../support/flex.ts';
import { describeWhere, inFull } from '../../support/needs.ts';
import { complaintsOf, findings, finish, joined, type Stage, setStage } from './stage.ts';

jest.setTimeout(120_000);

const element = 'daspeak-streaming-web-agent-twilio';

/** The caller's voice, from consent to the end of the stream, with a stand-in for the vendor's closed files. */
describeWhere(['chromium', 'plugins'], 'voice biometrics in a call', () => {
  let stage: Stage;
  let alice: FlexDesktop;
  let veridas: Record<string, unknown>;

  beforeAll(async () => {
    stage = await setStage();
    alice = await stage.open(stage.workers[0]);
    veridas = { enabled: true, vendor_url: `${stage.stack.urls.sandbox}/veridas` };
  });
  afterEach(() => stage?.clear());
  afterAll(() => stage?.close());

  const call = async (options: Parameters<Stage['live']['ring']>[0] = {}) => {
    const rung = await stage.live.ring({ worker: stage.workers[0], ...options });
    await alice.accept();
    await joined(alice);
    return rung;
  };
  const button = (name: string) => alice.page.getByRole('button', { name, exact: true });
  const text = (what: string) => alice.page.getByText(what).first();
  const consents = (decision?: string) =>
    stage.metric('custody_reports_total', { kind: 'consent', ...(decision ? { reason: decision } : {}) });
  const streams = () => [...stage.stack.sandbox.twilio.world.streams.values()];

  test('with the caller’s consent: enrolled, then verified, by the caller’s own leg', async () => {
    await stage.reopen(alice, { veridas });
    const before = await consents();
    const { customerCall } = await call();
    await text('Does the caller agree').waitFor();
    expect(await alice.page.locator(element).count()).toBe(0);
    expect(await findings(alice, 'section[aria-labelledby="flex-custody-voice-title"]')).toEqual([]);
    await alice.screenshot('veridas-1-consent');
    await button('Caller agrees').click();
    await alice.page.locator(element).waitFor();
    expect(await consents()).toBe(before + 1);
    await button('Enrol').click();
    await text('Listening').waitFor();
    await alice.screenshot('veridas-2-listening');
    expect(streams()).toMatchObject([
      { callSid: customerCall, name: customerCall, track: 'inbound_track', status: 'in-progress' },
    ]);
    await text('Success: enrolled').waitFor();
    expect(streams().map(({ status }) => status)).toEqual(['stopped']);
    await button('Verify').click();
    await text('Success: verified').waitFor();
    await alice.screenshot('veridas-3-verified');
    await finish(alice);
    expect(streams().map(({ status }) => status)).toEqual(['stopped', 'stopped']);
  });

  test('a token that is renewed while the caller is heard is the one that stops it', async () => {
    await call();
    await button('Caller agrees').click();
    await button('Enrol').click();
    await text('Listening').waitFor();
    await stage.live.renewToken(stage.workers[0]);
    await text('Success: enrolled').waitFor();
  });

  test('refused: the element is not there, and the refusal is kept', async () => {
    const before = await consents();
    await call();
    await button('Caller refuses').click();
    await text('The caller did not agree').waitFor();
    await alice.screenshot('veridas-4-refused');
    expect(await alice.page.locator(element).count()).toBe(0);
    expect(await consents()).toBe(before + 1);
  });

  test('with the host away no voice analysis starts: the answer could not be recorded', async () => {
    await call();
    await stage.stack.stopServer();
    try {
      await button('Caller agrees').click();
      await text("The caller's answer could not be recorded").waitFor();
      await alice.screenshot('veridas-5-unwritten');
      expect(await alice.page.locator(element).count()).toBe(0);
    } finally {
      await stage.stack.startServer();
    }
    await button('Try again').click();
    await alice.page.locator(element).waitFor();
  });

  test('an outbound call: the customer’s leg, from the conference', async () => {
    await alice.page.evaluate(
      `Twilio.Flex.Actions.invokeAction('StartOutboundCall', { destination: '+14155550177' })`,
    );
    const [task] = await joined(alice);
    const customer = task!.participants.find(({ type }) => type === 'customer');
    await button('Caller agrees').click();
    await button('Enrol').click();
    await text('Success: enrolled').waitFor();
    expect(streams().at(-1)).toMatchObject({ callSid: customer!.callSid, track: 'inbound_track' });
  });

  inFull('the vendor gives no token: said in the element, and nothing is streamed', async () => {
    const before = streams().length;
    const tell = (tokenStatus: number | null) =>
      fetch(`${stage.stack.urls.sandbox}/sandbox/veridas`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ tokenStatus }),
      });
    await tell(503);
    try {
      await call();
      await button('Caller agrees').click();
      await button('Enrol').click();
      await text('Error:').waitFor();
      await alice.screenshot('veridas-6-no-token');
      expect(streams()).toHaveLength(before);
    } finally {
      await tell(null);
    }
  });

  test('without the vendor’s files: a panel that says so, and a call as usual', async () => {
    await stage.reopen(alice, { veridas: { enabled: true } });
    await call();
    await text("Veridas's files are missing").waitFor();
    await alice.screenshot('veridas-7-missing');
    await finish(alice);
  });

  inFull('with the vendor’s files in the build: the element, from no other place', async () => {
    const built = await buildWithVendorFiles();
    expect(gzipSync(built).length).toBeLessThanOrEqual(120_000);
    await alice.page.route('**/flex/plugins/plugin-veridas.js', (route) =>
      route.fulfill({ contentType: 'text/javascript', body: built }),
    );
    try {
      await stage.reopen(alice, { veridas: { enabled: true } });
      await call();
      await button('Caller agrees').click();
      await alice.page.locator(element).waitFor();
      await button('Enrol').click();
      await text('Success: enrolled').waitFor();
    } finally {
      await alice.page.unrouteAll({ behavior: 'ignoreErrors' });
    }
  });

  inFull(
    'a setting out of its range: the element is not there, and an agent is told whom to tell',
    async () => {
      await stage.reopen(alice, { veridas: { ...veridas, config: { verify: { scoreThreshold: '1.5' } } } });
      await call();
      await text('Voice biometrics is not set up correctly').waitFor();
      expect(await alice.page.locator(element).count()).toBe(0);
    },
  );

  test('a chat has none of it, and nothing was complained of that was not meant to fail', async () => {
    await stage.reopen(alice, { veridas });
    const { task } = await stage.live.ring({ worker: stage.workers[0], channel: 'chat' });
    await alice.accept();
    await alice.page.waitForTimeout(500);
    expect(await text('Voice biometrics').count()).toBe(0);
    await stage.live.act(task, 'complete');
    expect(complaintsOf(alice).filter((said) => /TypeError|ReferenceError|Warning:/.test(said))).toEqual([]);
  });
});

/** plugin-veridas as it is built where Veridas's files lie in its source folder, the guide's way. */
async function buildWithVendorFiles(): Promise<Buffer> {
  const root = await mkdtemp(join(tmpdir(), 'veridas-build-'));
  try {
    const folder = join(root, 'plugin-veridas');
    for (const name of ['src', 'public', 'package.json', 'tsconfig.json', 'webpack.config.js'])
      await cp(join('plugin-veridas', name), join(folder, name), { recursive: true });
    await symlink(resolve('plugin-veridas/node_modules'), join(folder, 'node_modules'));
    await cp('sandbox/src/veridas/assets', join(folder, 'src/components/veridas'), { recursive: true });
    // The builder would build for tests.
    const { NODE_ENV: _mode, NODE_OPTIONS: _options, ...env } = process.env;
    await promisify(execFile)('npx', ['--no-install', 'flex-plugin', 'build'], { cwd: folder, env });
    return await readFile(join(folder, 'build/plugin-veridas.js'));
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
