import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectorState } from '../../connectors/status.ts';
import type { Health } from '../../http/operators/health.ts';
import { brevo } from './brevo.ts';
import type { Scene } from './scene.ts';

const accountSid = `AC${'1'.repeat(32)}`;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brevo-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function look(text: string | undefined, state?: ConnectorState, change: object = {}) {
  const file = join(folder, 'brevo.yaml');
  if (text !== undefined) {
    writeFileSync(file, text);
    chmodSync(file, 0o600);
  }
  const settings = text === undefined ? undefined : { file, apiKey: 'xkeysib-1' };
  return brevo({
    config: { accountSid, authToken: 'token', ...(settings && { brevo: settings }), ...change },
    health: async () => ({ work: { connector: state } }) as Health,
  } as Scene);
}

const good = `account_sid: ${accountSid}\nconsent: all\n`;

test('without a file it is off, and so it is where the file says so', async () => {
  expect(await look(undefined)).toBe('off: CUSTODY_BREVO_FILE is not set');
  expect(await look(`enabled: false\n${good}`)).toMatchObject({
    detail: expect.stringContaining('enabled: false'),
  });
});

test('a valid file of a connector that sends', async () => {
  expect(await look(good, { on: true })).toMatch(/brevo\.yaml: valid$/);
  expect(await look(good, { on: false })).toMatchObject({ next: 'restart the hosts' });
});

test('a fault of the file has its line and next step', async () => {
  await expect(look(`account_sid: ${accountSid}\n`)).rejects.toMatchObject({
    detail: expect.stringContaining('consent'),
    next: expect.stringContaining('all'),
  });
});

test('no auth token, no key, and a pause must be fixed', async () => {
  await expect(look(good, { on: true }, { authToken: undefined })).rejects.toMatchObject({
    next: 'flex-custody secrets set TWILIO_AUTH_TOKEN',
  });
  const file = join(folder, 'brevo.yaml');
  await expect(look(good, { on: true }, { brevo: { file } })).rejects.toMatchObject({
    code: 'config_invalid',
  });
  const paused = { reason: 'key', sinceAt: new Date(0) };
  await expect(look(good, { on: true, paused })).rejects.toMatchObject({
    detail: 'nothing is sent since 1970-01-01T00:00:00.000Z (key)',
    next: 'flex-custody connector test brevo',
  });
});
