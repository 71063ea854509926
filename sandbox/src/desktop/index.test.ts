import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket from 'ws';
import { type Sandbox, startSandbox } from '../index.ts';

let folder: string;
let sandbox: Sandbox;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'desktop-'));
  sandbox = await startSandbox({
    port: 0,
    dataDir: folder,
    functionsBaseUrl: 'https://flex-custody-4200-dev.twil.io',
    functionsOrigin: 'http://127.0.0.1:4200',
    publicHostUrl: 'http://127.0.0.1:4100',
    // Nothing is installed nor bundled for a unit test.
    flex: { root: folder, plugins: [], build: false },
  });
});
afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true, force: true });
});

type Answer = Record<string, unknown>;
const ask = async (path: string, body?: object, headers: Record<string, string> = {}) => {
  const response = await fetch(sandbox.url + path, {
    method: body ? 'POST' : 'GET',
    headers: { ...(body ? { 'content-type': 'application/json' } : {}), ...headers },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await response.text();
  return { status: response.status, json: () => JSON.parse(text) as Answer, text };
};
const login = async (query = '') => (await ask(`/flex/login${query}`, {})).json()['session'] as Answer;
const validate = (token: unknown) => {
  const known = sandbox.twilio.world.tokens.get(String(token));
  return known && known.expiresAt.getTime() > Date.now();
};

test('logs in the first worker as an agent, with a token that has the shape of a JWT and that IAM knows', async () => {
  const session = await login();
  expect(session).toMatchObject({ roles: ['agent'], identity: 'alice_40northwind_2Eexample' });
  const [head, body] = String(session['token']).split('.');
  expect(JSON.parse(Buffer.from(head!, 'base64url').toString())).toMatchObject({ typ: 'JWT' });
  expect(JSON.parse(Buffer.from(body!, 'base64url').toString())).toMatchObject({
    grants: { task_router: { worker_sid: session['worker_sid'] } },
  });
  expect(validate(session['token'])).toBe(true);
});

test('logs in whom the address names, with these roles', async () => {
  const worker = [...sandbox.twilio.world.workers.keys()][1]!;
  expect(await login(`?worker=${worker}&roles=supervisor,wfo.full_access`)).toMatchObject({
    worker_sid: worker,
    roles: ['supervisor', 'wfo.full_access'],
  });
  expect((await ask('/flex/login?worker=WKnobody', {})).status).toBe(404);
});

test('a refreshed token takes the place of the old one, which nobody accepts any more', async () => {
  const old = (await login())['token'];
  const refresh = '/twilio/iam.twilio.com/v1/Accounts/AC/Tokens/refresh';
  const fresh = (await ask(refresh, { token: old })).json()['token'];
  expect([validate(old), validate(fresh)]).toEqual([undefined, true]);
  expect((await ask(refresh, { token: old })).status).toBe(401);
  const info = '/twilio/flex-api.twilio.com/v1/Tokens/Info';
  expect((await ask(info, { token: fresh })).json()).toMatchObject({ valid: true });
  expect((await ask(info, { token: old })).status).toBe(401);
});

test('the control renews a token where no browser is open, too', async () => {
  const session = await login();
  const answer = (await ask('/sandbox/live/token', { worker: session['worker_sid'] })).json();
  expect([validate(session['token']), validate(answer['token'])]).toEqual([undefined, true]);
});

test('what a control sets, Flex finds in its configuration', async () => {
  const custody = { functions_url: 'http://127.0.0.1:4200', recording: { mode: 'both' } };
  await ask('/sandbox/live/configuration', {
    ui_attributes: { flex_custody: custody },
    call_recording_enabled: true,
  });
  expect((await ask('/twilio/flex-api.twilio.com/v1/Configuration')).json()).toMatchObject({
    account_sid: sandbox.account.accountSid,
    ui_attributes: { version_compatibility: 'yes', flex_custody: custody },
    call_recording_enabled: true,
  });
});

describe('TaskRouter by event-bridge', () => {
  const bridge = '/twilio/event-bridge.twilio.com/v1/wschannels';
  const tunnel = async (token: unknown, url: string, method = 'GET', params: object = {}) =>
    ask(bridge, { url, method, params, token });

  test('answers who is asked for, and refuses a stranger', async () => {
    const { token, worker_sid: worker } = await login();
    const path = `Workspaces/${sandbox.account.workspaceSid}/Workers/${worker}`;
    expect((await tunnel(token, path)).json()).toMatchObject({ payload: { sid: worker, available: true } });
    expect((await tunnel('nonsense', `Workspaces/${sandbox.account.workspaceSid}/Activities`)).status).toBe(
      401,
    );
    expect((await tunnel(token, `${path}/Reservations/WRnone`, 'POST', {})).status).toBe(404);
  });

  test('knows nothing of calls that were made when they had already ended', async () => {
    await ask('/sandbox/calls', { seconds: 1, worker: (await login())['worker_sid'] });
    const { token, worker_sid: worker } = await login();
    const path = `Workspaces/${sandbox.account.workspaceSid}/Workers/${worker}/Reservations`;
    expect((await tunnel(token, path)).json()).toMatchObject({ payload: { contents: [] } });
  });

  test('tells of a call by WebSocket, and takes the acceptance as text', async () => {
    const { token, worker_sid: worker } = await login();
    const heard: { event_type: string; payload: Answer }[] = [];
    const socket = new WebSocket(`${sandbox.url.replace('http', 'ws')}${bridge}?token=${token}`);
    socket.on('message', (data) => heard.push(JSON.parse(String(data))));
    await new Promise((resolve) => socket.once('open', resolve));
    const { task, reservation } = (await ask('/sandbox/live/calls', { worker })).json();
    const url = `Workspaces/${sandbox.account.workspaceSid}/Workers/${worker}/Reservations/${reservation}`;
    const refused = await tunnel(token, url, 'POST', { Instruction: 'conference', Record: true });
    expect(refused.status).toBe(400);
    const accepted = await tunnel(token, url, 'POST', { Instruction: 'conference', Record: 'true' });
    expect(accepted.json()).toMatchObject({ payload: { reservation_status: 'accepted' } });
    await ask(`/sandbox/live/calls/${task}`, { action: 'customer-hangup' });
    await ask(`/sandbox/live/calls/${task}`, { action: 'complete' });
    socket.close();
    await new Promise((resolve) => socket.once('close', resolve));
    expect(heard.map((event) => event.event_type)).toEqual([
      'init',
      'reservation.created',
      'reservation.accepted',
      'task.updated',
      'reservation.wrapup',
      'task.wrapup',
      'reservation.completed',
      'task.completed',
    ]);
    const ended = ((await ask('/sandbox/calls')).json()['calls'] as Answer[])[0];
    expect(ended).toMatchObject({ task, direction: 'inbound', recordings: [expect.any(String)] });
  });

  test('closes the WebSocket of a stranger', async () => {
    const socket = new WebSocket(`${sandbox.url.replace('http', 'ws')}${bridge}?token=nonsense`);
    const code = await new Promise((resolve) => socket.once('close', resolve));
    expect(code).toBe(1008);
  });
});

test('says what is wrong with a control', async () => {
  expect((await ask('/sandbox/live/calls/WTnone', { action: 'accept' })).status).toBe(404);
  const { task } = (await ask('/sandbox/live/calls', {})).json();
  const answer = await ask(`/sandbox/live/calls/${task}`, { action: 'sing' });
  expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('customer-hangup')]);
  expect((await ask(`/sandbox/live/calls/${task}`, { action: 'hangup' })).status).toBe(409);
});

test('Flex’s own addresses show the desktop to a browser, and nothing to anybody else', async () => {
  expect((await ask('/agent-desktop/WR1', undefined, { accept: 'text/html' })).status).toBe(200);
  expect((await ask('/agent-desktop/WR1')).status).toBe(404);
  expect((await ask('/page/none', undefined, { accept: 'text/html' })).status).toBe(404);
});
