import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fault } from '../../sandbox/src/faults.ts';
import { type Stack, startStack } from '../../sandbox/src/stack/index.ts';

/** The command itself, beside a whole running house; what is wrong is done to the world, never to the doctor. */
interface Checked {
  name: string;
  ok: boolean;
  detail: string;
  next: string;
}

let dataDir: string;
let stack: Stack;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'doctor-'));
  stack = await startStack({ dataDir });
}, 120_000);
afterAll(async () => {
  await stack.close();
  rmSync(dataDir, { recursive: true, force: true });
});
afterEach(() => {
  stack.sandbox.twilio.faults.clear();
});

jest.setTimeout(60_000);

function doctor(
  args: readonly string[],
  more: Record<string, string> = {},
): Promise<{ status: number; out: string }> {
  const env = { PATH: process.env['PATH'] ?? '', ...stack.hostEnvironment, ...more };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['server/bin/flex-custody.mjs', 'doctor', ...args],
      { env },
      (error, out, errors) =>
        resolve({
          status: typeof error?.code === 'number' ? error.code : error ? -1 : 0,
          out: out || errors,
        }),
    );
  });
}

async function found(name: string, more: Record<string, string> = {}, ...args: string[]): Promise<Checked> {
  const { out, status } = await doctor(['--json', '--only', name, ...args], more);
  const checks = (JSON.parse(out) as { checks: Checked[] }).checks;
  expect(checks.map((check) => check.name)).toEqual(['environment', name]);
  expect(status).toBe(checks.every((check) => check.ok) ? 0 : 1);
  return checks[1]!;
}

const fault = (target: Fault['target'], status: number, match?: string) =>
  stack.sandbox.twilio.faults.add({
    target,
    kind: 'status',
    value: status,
    times: 0,
    ...(match !== undefined && { match }),
  });

test('a whole house is healthy, and left as it was', async () => {
  const { bucket, world } = stack.sandbox.twilio;
  const before = [await bucket.show(), structuredClone(world.flexConfiguration), world.recordings.size];
  const { status, out } = await doctor(['--json']);
  const { checks } = JSON.parse(out) as { checks: Checked[] };
  expect(checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(status).toBe(0);
  expect(checks.every((check) => Object.keys(check).join() === 'name,ok,detail,next')).toBe(true);
  const details = Object.fromEntries(checks.map(({ name, detail }) => [name, detail]));
  expect(details).toMatchObject({
    account: 'Northwind Energy (sandbox), active, by auth token',
    workspace: expect.stringContaining("Flex's own"),
    iam: expect.stringContaining('answers, and refuses a false Flex token'),
    clock: 'within 30 s of Twilio and S3',
    bucket: expect.stringContaining('writes, reads ranges, lists and deletes'),
    versions: 'kept',
    key: expect.stringContaining('seals and opens'),
    database: expect.stringContaining('embedded, version'),
    jobs: expect.stringContaining('due'),
    alarms: 'none is open',
    functions: expect.stringContaining('refuses an unsigned callback'),
    callback: 'a signed callback reaches the host through the Function',
    'plugin-settings': 'readable; mode ours, 0 rules',
    plugins: 'released: plugin-recording 0.1.0, plugin-veridas 0.1.0',
    'recorded-once': expect.stringContaining('our plugin'),
  });
  expect([await bucket.show(), world.flexConfiguration, world.recordings.size]).toEqual(before);
});

test('for a person: aligned, at most 100 columns', async () => {
  const { out } = await doctor([]);
  expect(out).toContain('  ok    account          Northwind Energy');
  expect(out).toMatch(/Nothing must be fixed \(\d+ checks, \d+ notes\)\.\n$/);
  expect(out).not.toContain(stack.sandbox.account.authToken);
});

test('what is no check is a wrong call', async () => {
  expect(await doctor(['--only', 'nonsense'])).toMatchObject({
    status: 2,
    out: expect.stringContaining('there is no check nonsense'),
  });
});

describe('Twilio', () => {
  const wrongToken = { TWILIO_AUTH_TOKEN: 'f'.repeat(32) };

  test('a wrong token, at the API and at IAM', async () => {
    expect(await found('account', wrongToken)).toMatchObject({
      ok: false,
      next: expect.stringContaining('TWILIO_AUTH_TOKEN'),
    });
    expect(await found('iam', wrongToken)).toMatchObject({
      ok: false,
      next: expect.stringContaining('credentials'),
    });
  });

  test('what follows from a wrong token is a note that says so', async () => {
    const { out, status } = await doctor(['--json'], wrongToken);
    const { checks } = JSON.parse(out) as { checks: Checked[] };
    expect([status, checks.filter(({ ok }) => !ok).map(({ name }) => name)]).toEqual([1, ['account']]);
    expect(checks.find(({ name }) => name === 'workspace')).toMatchObject({ next: 'Fix "account" first.' });
  });

  test('a workspace that is not there, and one that is not Flex’s', async () => {
    const other = { TWILIO_WORKSPACE_SID: `WS${'1'.repeat(32)}` };
    expect(await found('workspace', other)).toMatchObject({
      ok: false,
      detail: 'the account has no such workspace',
    });
    const { flexConfiguration } = stack.sandbox.twilio.world;
    Object.assign(flexConfiguration, { taskrouter_workspace_sid: other.TWILIO_WORKSPACE_SID });
    try {
      expect(await found('workspace')).toMatchObject({
        ok: false,
        next: `Set TWILIO_WORKSPACE_SID to ${other.TWILIO_WORKSPACE_SID}.`,
      });
    } finally {
      Reflect.deleteProperty(flexConfiguration, 'taskrouter_workspace_sid');
    }
  });

  test('IAM that is down', async () => {
    fault('iam', 503);
    expect(await found('iam')).toMatchObject({ ok: false, detail: expect.stringContaining('no verdict') });
  });

  test('a Flex token is described; one that is none is refused', async () => {
    const { token } = (await (
      await fetch(`${stack.urls.sandbox}/sandbox/tokens`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ roles: ['supervisor', 'wfo.quality_manager'] }),
      })
    ).json()) as { token: string };
    expect(await found('iam', {}, '--token', token)).toMatchObject({
      ok: true,
      detail: expect.stringContaining('(supervisor, wfo.quality_manager) plays every recording'),
    });
    expect(await found('iam', {}, '--token', 'x'.repeat(40))).toMatchObject({
      ok: false,
      detail: 'the token that was given is refused',
    });
  });

  test('a clock that is off', async () => {
    stack.sandbox.twilio.world.behaviour.clockSeconds = 90;
    try {
      expect(await found('clock')).toMatchObject({
        ok: false,
        detail: expect.stringMatching(/^this clock is (8|9)\d s behind Twilio and (8|9)\d s behind S3$/),
        next: expect.stringContaining('NTP'),
      });
    } finally {
      stack.sandbox.twilio.world.behaviour.clockSeconds = 0;
    }
  });
});

describe('the bucket', () => {
  test('is not there', async () => {
    expect(await found('bucket', { CUSTODY_BUCKET: 'elsewhere' })).toMatchObject({
      ok: false,
      detail: 'bucket elsewhere does not exist',
    });
    expect(await found('versions', { CUSTODY_BUCKET: 'elsewhere' })).toMatchObject({
      detail: 'not known',
      next: 'Fix "bucket" first.',
    });
  });

  test('knows other credentials', async () => {
    expect(await found('bucket', { AWS_SECRET_ACCESS_KEY: 'wrong' })).toMatchObject({
      ok: false,
      next: expect.stringContaining('access key'),
    });
  });

  test('keeps no versions', async () => {
    fault('s3', 501, '?versioning');
    expect(await found('versions')).toMatchObject({
      ok: true,
      detail: expect.stringContaining('not known'),
    });
  });
});

describe('the Functions', () => {
  test('are down, or somewhere else', async () => {
    const nowhere = ['--functions-url', 'http://127.0.0.1:1'] as const;
    expect(await found('functions', {}, ...nowhere)).toMatchObject({
      ok: false,
      detail: 'nothing answers at http://127.0.0.1:1',
    });
    expect(await found('functions', {}, '--functions-url', stack.urls.server)).toMatchObject({
      ok: false,
      detail: expect.stringContaining('no Function'),
    });
  });

  test('belong to another account’s token; without one it is not tried', async () => {
    expect(
      await found('callback', { TWILIO_AUTH_TOKEN: 'f'.repeat(32) }, '--functions-url', stack.urls.functions),
    ).toMatchObject({
      ok: false,
      detail: 'the signature is not accepted',
    });
    const { apiKey, apiSecret } = stack.sandbox.twilio.world.account;
    const byKey = { TWILIO_AUTH_TOKEN: '', TWILIO_API_KEY: apiKey, TWILIO_API_SECRET: apiSecret };
    expect(await found('callback', byKey)).toMatchObject({
      ok: true,
      detail: expect.stringContaining('not tried'),
    });
  });

  test('do not get through to the host', async () => {
    await stack.stopServer();
    try {
      expect(await found('callback')).toMatchObject({
        ok: false,
        next: expect.stringContaining('CUSTODY_HOST_SECRET'),
      });
      expect(await found('host')).toMatchObject({ ok: false, next: expect.stringContaining('serve') });
    } finally {
      await stack.startServer();
    }
  });

  test('share another secret with the host', async () => {
    await stack.stopServer();
    await stack.startServer({ CUSTODY_FUNCTION_SECRETS: 'x'.repeat(43) });
    try {
      expect(await found('callback')).toMatchObject({
        ok: false,
        detail: 'the Function does not reach the host',
      });
    } finally {
      await stack.stopServer();
      await stack.startServer();
    }
  });
});

describe('Flex', () => {
  const configuration = () => stack.sandbox.twilio.world.flexConfiguration;
  const kept = () => structuredClone(configuration());
  let before: ReturnType<typeof kept>;
  beforeEach(() => {
    before = kept();
  });
  afterEach(() => {
    Object.assign(configuration(), before);
  });
  const settings = (more: Record<string, unknown>) => {
    const { ui_attributes: all } = configuration();
    configuration().ui_attributes = { ...all, flex_custody: { ...(all['flex_custody'] as object), ...more } };
  };

  test('records each call twice, or none', async () => {
    configuration().call_recording_enabled = true;
    expect(await found('recorded-once')).toMatchObject({
      ok: false,
      detail: expect.stringContaining('recorded twice'),
    });
    configuration().call_recording_enabled = false;
    settings({ recording: { mode: 'theirs' } });
    expect(await found('recorded-once')).toMatchObject({
      ok: false,
      detail: expect.stringContaining('nothing is recorded'),
    });
  });

  test('tells nobody of ours of its recordings', async () => {
    settings({ recording: { mode: 'theirs' } });
    Object.assign(configuration(), { call_recording_enabled: true, call_recording_webhook_url: null });
    expect(await found('webhook')).toMatchObject({
      ok: false,
      detail: expect.stringContaining('is not set'),
    });
    configuration().call_recording_webhook_url = 'https://elsewhere.example/';
    expect(await found('webhook')).toMatchObject({ ok: false, detail: expect.stringContaining('elsewhere') });
  });

  test('never asks url_provider', async () => {
    configuration().ui_attributes['featureOverrides'] = {
      'insights-authenticated-recordings': { enabled: true },
    };
    expect(await found('insights-flag')).toMatchObject({
      ok: false,
      detail: expect.stringContaining('insights-authenticated-recordings is switched on'),
    });
    delete configuration().ui_attributes['featureOverrides'];
    expect(await found('insights-flag')).toMatchObject({ ok: true });
  });

  test('has settings of the plugins that cannot be read, or none', async () => {
    settings({ recording: { mode: 'sometimes' } });
    expect(await found('plugin-settings')).toMatchObject({
      ok: false,
      detail: 'recording.mode must be "ours", "theirs" or "both"',
    });
    settings({ recording: {}, host_url: 'https://old.example' });
    expect(await found('plugin-settings')).toMatchObject({
      ok: false,
      detail: expect.stringContaining('https://old.example'),
    });
    const { flex_custody: _ours, ...others } = configuration().ui_attributes;
    configuration().ui_attributes = others;
    expect(await found('plugin-settings')).toMatchObject({
      ok: false,
      next: expect.stringContaining('setup'),
    });
  });

  test('has no release of the plugins', async () => {
    const released = stack.sandbox.twilio.world.plugins.splice(0);
    try {
      expect(await found('plugins')).toMatchObject({
        ok: true,
        detail: 'the active release has no plugin-recording and no plugin-veridas',
      });
    } finally {
      stack.sandbox.twilio.world.plugins.push(...released);
    }
  });

  test('cannot be asked', async () => {
    // Whose credentials are refused learns nothing of Flex: one line says so, the others point to it.
    const wrong = { TWILIO_AUTH_TOKEN: 'f'.repeat(32) };
    expect(await found('functions', wrong)).toMatchObject({ ok: true, next: 'Fix "flex" first.' });
    expect(await found('flex', wrong)).toMatchObject({ ok: false });
    expect(await found('recorded-once', wrong)).toMatchObject({ ok: true, next: 'Fix "flex" first.' });
  });
});
