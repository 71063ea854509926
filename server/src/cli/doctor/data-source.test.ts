import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { awsIdentity } from '../../config/aws-identity.ts';
import type { Config } from '../../config.ts';
import type { Health } from '../../http/operators/health.ts';
import { dataSource } from './data-source.ts';
import type { Scene } from './scene.ts';

const accountSid = `AC${'0a'.repeat(16)}`;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'doctor-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Given {
  stored?: object | null;
  config?: Partial<Config>;
  identity?: string;
}

/** What it says of these settings. */
const says = ({ stored, config = {}, identity }: Given): Promise<unknown> => {
  const found = stored === null ? null : stored && { version: 3, settings: stored };
  const scene = {
    config: { accountSid, workspaceSid: 'WS1', employeesFile: join(folder, 'employees.yaml'), ...config },
    health: async () => ({ work: { dataSource: found } }) as unknown as Health,
    twilio: { worker: async () => undefined },
  } as unknown as Scene;
  return dataSource(scene, identity).catch((error: unknown) => error);
};
const fix = (detail: string, next: string) =>
  expect.objectContaining({
    code: 'doctor',
    detail: expect.stringContaining(detail),
    next: expect.stringContaining(next),
  });
const write = (name: string, text: string) => {
  writeFileSync(join(folder, name), text, { mode: 0o600 });
  return join(folder, name);
};

test('what is as it should be', async () => {
  expect(await says({ stored: null })).toBe('none saved yet: the defaults apply');
  expect(await says({ stored: { longCallMinutes: 60 } })).toBe('version 3: valid');
  const file = write('data-source.yaml', 'longCallMinutes: 60\n');
  expect(await says({ stored: null, config: { dataSourceFile: file } })).toBe(`${file}: valid`);
  expect(await says({})).toMatchObject({ next: 'Fix "database" first.' });
});

test('settings that this release, this host or their file makes invalid', async () => {
  const arn = 'arn:aws:kinesis:eu-west-1:111122223333:stream/events';
  expect(await says({ stored: { longCallMinutes: 0 } })).toEqual(fix('longCallMinutes must be', 'set 120'));
  expect(await says({ stored: { streamName: arn, region: 'eu-central-1' } })).toEqual(
    fix('region is another one than that of the ARN', 'leave the region out'),
  );
  expect(
    await says({ stored: { advanced: { TwilioEnablePauseResume: 'True' } }, config: { pauseSet: false } }),
  ).toEqual(fix('TwilioEnablePauseResume is True', 'make both equal'));
  const file = write('data-source.yaml', 'tenant: a\nlongCallMinutes: 0\n');
  expect(await says({ stored: null, config: { dataSourceFile: file } })).toEqual(
    fix('longCallMinutes must be', '(line 2, column 1)'),
  );
});

test('the default employee', async () => {
  const stored = { defaultOrganization: 'Sales', defaultEmployee: 'ada' };
  const employees = (more: string) =>
    write('employees.yaml', `employees:\n  - {id: ada, organization: Sales, start: 2026-01-01${more}}\n`);
  employees('');
  expect(await says({ stored })).toBe('version 3: valid');
  employees(', end: 2026-02-01');
  expect(await says({ stored })).toEqual(fix('was terminated', 'choose another person'));
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
  employees(`, end: ${inDays(5)}`);
  expect(await says({ stored })).toEqual(fix('has an end date', 'choose another person'));
  employees(`, end: ${inDays(5)}}\n  - {id: ada, organization: Care, start: ${inDays(6)}`);
  expect(await says({ stored })).toMatchObject({
    detail: expect.stringContaining('moves to another organization'),
  });
  employees(', wage: 5');
  expect(await says({ stored })).toMatchObject({ code: 'doctor' });
  // A worker of TaskRouter that is there no longer.
  rmSync(join(folder, 'employees.yaml'));
  const worker = { defaultOrganization: 'WS1', defaultEmployee: `WK${'0'.repeat(32)}` };
  expect(await says({ stored: worker })).toEqual(fix('was deleted from TaskRouter', 'choose another worker'));
});

test('a static key is noted where AWS gives the host an identity', async () => {
  const stored = { specifyCredentials: true, accessKeyId: 'AKIA' };
  expect(await says({ stored, identity: 'the metadata of an EC2 instance' })).toMatchObject({
    detail: expect.stringContaining('static access key'),
    next: expect.stringContaining('specifyCredentials=false'),
  });
  expect(await says({ stored })).toBe('version 3: valid');
  expect(await says({ stored: {}, identity: 'x' })).toBe('version 3: valid');
});

test.each<[Record<string, string>, string, string | undefined]>([
  [{ AWS_WEB_IDENTITY_TOKEN_FILE: '/t' }, '', 'web identity'],
  [{ AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://x' }, '', 'container'],
  [{ AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/x' }, '', 'container'],
  [{}, 'Amazon EC2\n', 'EC2'],
  [{ AWS_EC2_METADATA_DISABLED: 'true' }, 'Amazon EC2\n', undefined],
  [{}, 'QEMU\n', undefined],
  [{ AWS_WEB_IDENTITY_TOKEN_FILE: '' }, '', undefined],
])('AWS gives an identity: %j, %j', (environment, vendor, words) => {
  const found = awsIdentity(environment, () => vendor);
  if (words === undefined) expect(found).toBeUndefined();
  else expect(found).toContain(words);
});
