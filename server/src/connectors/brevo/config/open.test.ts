import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AccountSid } from '@flex-custody/core';
import { exitCodeOf } from '../../../config/exit-code.ts';
import { openBrevoConfig } from './open.ts';

const folder = mkdtempSync(join(tmpdir(), 'brevo-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'brevo.yaml');
const accountSid = `AC${'0a'.repeat(16)}` as AccountSid;
const apiKey = 'xkeysib-0123456789abcdef';
const good = `account_sid: ${accountSid}\nconsent: all\n`;
const write = (text: string) => writeFileSync(file, text, { mode: 0o600 });

function errorOf(act: () => unknown): Error {
  try {
    act();
  } catch (error) {
    return error as Error;
  }
  throw new Error('it was not refused');
}

test('no file is no connector', () => expect(openBrevoConfig({ accountSid })).toBeUndefined());

test('a good file is read', () => {
  write(good);
  expect(openBrevoConfig({ accountSid, brevo: { file, apiKey } })).toMatchObject({
    enabled: true,
    consent: 'all',
  });
});

test('a file with faults is refused with a line for each, and ends the start with 78', () => {
  write(`${good}plan: gold\nsettle_seconds: -1\n`);
  const error = errorOf(() => openBrevoConfig({ accountSid, brevo: { file, apiKey } }));
  expect(error).toMatchObject({ code: 'brevo_invalid' });
  expect(error.message.split('\n')).toEqual([
    `CUSTODY_BREVO_FILE (${file}):`,
    'plan must be one of general, advanced, extended (line 3, column 1)',
    'settle_seconds must be a whole number of seconds from 0 to 3600 (line 4, column 1)',
  ]);
  expect(exitCodeOf(error)).toBe(78);
});

test('a file of another account is refused', () => {
  write(good.replace('0a', '0b'));
  expect(errorOf(() => openBrevoConfig({ accountSid, brevo: { file, apiKey } })).message).toContain(
    "account_sid is another account than the host's",
  );
});

test('a file that is missing, or that others may write, is refused with the next step', () => {
  const missing = { accountSid, brevo: { file: join(folder, 'none.yaml'), apiKey } };
  expect(errorOf(() => openBrevoConfig(missing))).toMatchObject({
    code: 'brevo_invalid',
    message: expect.stringContaining('cannot be read (ENOENT): correct the path'),
  });
  write(good);
  chmodSync(file, 0o666);
  const open = errorOf(() => openBrevoConfig({ accountSid, brevo: { file, apiKey } }));
  expect(open).toMatchObject({
    code: 'brevo_invalid',
    message: expect.stringContaining(`chmod go-w ${file}`),
  });
  expect(exitCodeOf(open)).toBe(78);
  chmodSync(file, 0o600);
});

test('the key must be there while the connector is enabled, where it is needed', () => {
  write(good);
  const error = errorOf(() => openBrevoConfig({ accountSid, brevo: { file } }));
  expect(error).toMatchObject({ code: 'config_invalid' });
  expect(error.message).toMatch(/^CUSTODY_BREVO_API_KEY is missing: make one in Brevo/);
  expect(exitCodeOf(error)).toBe(78);
  expect(openBrevoConfig({ accountSid, brevo: { file } }, { needsKey: false })).toMatchObject({
    enabled: true,
  });
  write(`${good}enabled: false\n`);
  expect(openBrevoConfig({ accountSid, brevo: { file } })).toMatchObject({ enabled: false });
});
