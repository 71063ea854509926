import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbedded } from '../db/testing/on-each-engine.ts';
import { buildProgram, run } from './program.ts';
import { assignmentOf, withAssignments } from './setting-assignments.ts';

// Loads the embedded engine outside of the realm of tests.
void openEmbedded;

const environment = {
  TWILIO_ACCOUNT_SID: `AC${'0a'.repeat(16)}`,
  AWS_REGION: 'eu-central-1',
  CUSTODY_BUCKET: 'recordings',
  CUSTODY_STORAGE_MODE: 'sse-kms',
};

let out: string;
let err: string;
let folder: string;
let before: NodeJS.ProcessEnv;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'settings-'));
  before = process.env;
  process.env = {
    ...environment,
    CUSTODY_DATA_DIR: join(folder, 'data'),
    CUSTODY_SIGNING_KEY_FILE: join(folder, 'key.pem'),
    CUSTODY_EMPLOYEES_FILE: join(folder, 'employees.yaml'),
  };
  jest.spyOn(console, 'log').mockImplementation((text) => {
    out += `${text}\n`;
  });
  jest.spyOn(console, 'error').mockImplementation((text) => {
    err += `${text}\n`;
  });
  jest.spyOn(process.stdout, 'write').mockImplementation((text, done?: unknown) => {
    out += String(text);
    if (typeof done === 'function') done();
    return true;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
  process.env = before;
  process.exitCode = undefined;
  rmSync(folder, { recursive: true });
});

async function call(...args: string[]): Promise<number> {
  out = '';
  err = '';
  process.exitCode = undefined;
  const program = buildProgram({ version: '1.2.3', serve: async () => undefined, more: [] });
  return run(program, ['node', 'flex-custody', 'recorder', 'settings', ...args]);
}

test('settings are shown, changed, exported, imported and remembered', async () => {
  expect(await call('show')).toBe(0);
  expect(out).toMatch(/longCallMinutes +120\n/);
  expect(out).toContain('No settings were saved yet');

  expect(
    await call(
      'set',
      'longCallMinutes=60',
      'redundantPair=a, b',
      'advanced.TwilioEnablePauseResume=True',
      '--comment',
      'why',
    ),
  ).toBe(0);
  expect(out).toBe('Version 1: advanced, longCallMinutes, redundantPair.\n');
  expect(await call('show', '--json')).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    version: 1,
    comment: 'why',
    settings: {
      longCallMinutes: 60,
      redundantPair: ['a', 'b'],
      secretAccessKey: 'unset',
      advanced: { TwilioEnablePauseResume: 'True' },
    },
  });

  const file = join(folder, 'data-source.yaml');
  expect(await call('export', file)).toBe(0);
  expect(statSync(file).mode & 0o077).toBe(0);
  expect(await call('export', file)).toBe(1);
  expect(err).toContain('output_exists');
  expect(await call('import', file, '--json')).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ version: 1, isSaved: false, changed: [], faults: [] });
  writeFileSync(file, readFileSync(file, 'utf8').replace('longCallMinutes: 60', 'longCallMinutes: 61'));
  expect(await call('import', file, '--dry-run', '--json')).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ isSaved: false, changed: ['longCallMinutes'], dryRun: true });
  expect(await call('import', file)).toBe(0);
  expect(out).toBe('Version 2: longCallMinutes.\n');
  expect(await call('set', 'redundantPair=')).toBe(0);
  expect(await call('history', '--json')).toBe(0);
  expect(JSON.parse(out)).toMatchObject([{ version: 3 }, { version: 2 }, { version: 1, comment: 'why' }]);
  expect(await call('export')).toBe(0);
  expect(out).toContain('\n# redundantPair:\n');
  expect(out).toContain('\nlongCallMinutes: 61\n');
}, 120_000);

test('faults are printed with what to do, in a file with their line, and nothing changes', async () => {
  expect(await call('set', 'longCallMinutes=0', 'longHoldMinutes=x', 'nonsense=1')).toBe(1);
  expect(err).toContain('Nothing changed:');
  expect(err).toContain('longCallMinutes must be a whole number of minutes from 1 to 1440: set 120');
  expect(err).toContain('longHoldMinutes must be');
  expect(err).toContain('nonsense is not a setting');
  const file = join(folder, 'data-source.yaml');
  writeFileSync(file, 'tenant: North\nadvanced:\n  websocket_target_url: wss://a.example\n');
  expect(await call('import', file, '--json')).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ isSaved: false, faults: [expect.stringContaining('(line 3,')] });
  writeFileSync(file, 'specifyCredentials: true\naccessKeyId: AKIA\nsecretAccessKey: hush-hush\n');
  expect(await call('import', file)).toBe(1);
  expect(err).toContain('secretAccessKey is a secret, and must not be in a file');
  expect(err).toContain('(line 3,');
  expect(out + err).not.toContain('hush');
  writeFileSync(file, 'tenant: [\n');
  expect(await call('import', file, '--json')).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    error: { code: 'data_source_invalid', message: expect.stringContaining('line') },
  });
  expect(await call('set', 'longCallMinutes=60', '--if-version', '4', '--json')).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ error: { code: 'data_source_changed' } });
  process.env['CUSTODY_DATA_SOURCE_FILE'] = file;
  expect(await call('set', 'longCallMinutes=60', '--json')).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    error: { code: 'data_source_read_only', message: expect.stringContaining(file) },
  });
}, 120_000);

test.each([
  [['set']],
  [['set', 'longCallMinutes']],
  [['set', '=5']],
  [['set', 'secretAccessKey=hush-hush']],
  [['set', 'hush-hush']],
  [['set', 'tenant=x', '--if-version', 'one']],
  [['set', 'tenant=x', '--comment', 'a\nb']],
])('wrongly called: %j', async (args) => {
  jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  expect(await call(...args, '--json')).toBe(2);
  expect(out + err).not.toContain('hush');
});

test('the schema is printed', async () => {
  expect(await call('schema')).toBe(0);
  expect(JSON.parse(out)).toEqual(JSON.parse(readFileSync('docs/data-source.schema.json', 'utf8')));
});

describe('assignments', () => {
  const assigned = (words: string[]) =>
    withAssignments({ tenant: 'North', advanced: { a: '1' } }, words.map(assignmentOf));

  test('take the form of their setting', () => {
    const words = [
      'longCallMinutes=90',
      'specifyRole=true',
      'specifyCredentials=maybe',
      'captureNodes=a,b',
      'roleArn=a=b',
      'advanced.X=',
      'tenant=',
    ];
    expect(assigned([...words, 'secretAccessKey=unset'])).toEqual({
      tenant: '',
      advanced: { a: '1', X: '' },
      longCallMinutes: 90,
      specifyRole: true,
      specifyCredentials: 'maybe',
      captureNodes: ['a', 'b'],
      roleArn: 'a=b',
      secretAccessKey: 'unset',
    });
  });
});
