import { Command } from 'commander';
import { registerRecorder } from './recorder.ts';
import { since } from './recorder-periods.ts';
import { setupText } from './recorder-setup.ts';

const arn = 'arn:aws:kinesis:eu-central-1:123456789012:stream/twilio-events';
let out: string;
beforeEach(() => {
  out = '';
  jest.spyOn(console, 'log').mockImplementation((text) => {
    out += `${text}\n`;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
  process.exitCode = undefined;
});

function call(...args: string[]) {
  const program = new Command('flex-custody').exitOverride();
  registerRecorder(program);
  for (const one of program.commands.flatMap((group) => group.commands))
    one.exitOverride().configureOutput({ writeErr: () => undefined });
  return program.parseAsync(['node', 'flex-custody', 'recorder', ...args]);
}

test('without a role, its documents are printed, with an external id that the next run names', async () => {
  await call('setup', '--sink', 'kinesis', '--stream-arn', arn, '--json');
  const { externalId, trust, permissions } = JSON.parse(out) as Record<string, unknown>;
  expect(trust).toMatchObject({
    Statement: [
      {
        Principal: { AWS: 'arn:aws:iam::009145568234:root' },
        Action: 'sts:AssumeRole',
        Condition: { StringEquals: { 'sts:ExternalId': externalId } },
      },
    ],
  });
  expect(permissions).toMatchObject({
    Statement: [
      { Action: ['kinesis:PutRecord', 'kinesis:PutRecords', 'kinesis:ListShards'], Resource: arn },
      { Action: 'kinesis:DescribeLimits' },
    ],
  });
  expect(process.exitCode).toBe(1);
  process.exitCode = undefined;
  out = '';
  const more = ['--print-role', '--external-id', 'mine'];
  await call('setup', '--sink', 'kinesis', '--stream-arn', arn, ...more);
  expect(out).toContain('"sts:ExternalId": "mine"');
  expect(out).toContain(`--stream-arn ${arn} --role-arn arn:aws:iam::…:role/… --external-id mine`);
  expect(process.exitCode).toBeUndefined();
});

test.each([
  [['--sink', 'kinesis']],
  [['--sink', 'kinesis', '--stream-arn', 'twilio-events']],
  [['--stream-arn', arn]],
  [['--sink', 'email']],
])('setup refuses %j', async (args) => {
  await expect(call('setup', ...args)).rejects.toThrow();
  expect(out).toBe('');
});

test('the result names each step, and whether all is done', () => {
  const run = { notes: { sink: 'DG1, active' }, counts: { changed: 0, problems: 0 }, options: {} };
  expect(setupText(run)).toBe('STEP  RESULT\nsink  DG1, active\n\nNothing to change.');
  expect(setupText({ ...run, counts: { changed: 1 } })).toMatch(/Done\.$/);
  expect(setupText({ ...run, counts: { changed: 1 }, options: { dryRun: true } })).toMatch(
    /nothing changed\.$/,
  );
  expect(setupText({ ...run, counts: { changed: 1, problems: 1 } })).toMatch(/^Not set up/m);
});

test('a period begins some time ago, on a day, or at a moment', () => {
  jest.useFakeTimers({ now: Date.UTC(2026, 10, 24, 12, 0, 30) });
  try {
    expect(since('2h')).toBe('2026-11-24T10:00:00.000Z');
    expect(since('15m')).toBe('2026-11-24T11:45:00.000Z');
    expect(since('3d')).toBe('2026-11-21T12:00:00.000Z');
    expect(since('2026-11-01')).toBe('2026-11-01T00:00:00.000Z');
    for (const text of ['0h', 'soon', '2w', '-1h']) expect(() => since(text)).toThrow();
  } finally {
    jest.useRealTimers();
  }
});

test('a repair has a beginning, and an end after it', async () => {
  await expect(call('repair')).rejects.toThrow(/--since/);
  await expect(call('repair', '--since', '2026-11-02', '--until', '2026-11-01')).rejects.toThrow(/later/);
});
