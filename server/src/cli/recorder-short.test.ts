import { Command } from 'commander';
import type { OperatorApi } from '../http/operators/operator-api.ts';
import type { Json, RunView } from '../runs/runs.ts';
import { registerRecorder } from './recorder.ts';
import { type How, runWork } from './run-work.ts';

jest.mock('./run-work.ts', () => ({
  ...jest.requireActual<typeof import('./run-work.ts')>('./run-work.ts'),
  runWork: jest.fn(),
}));

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

/** What the host did, and two certificates, of which one is older than the run. */
const works = (counts: Record<string, number>, notes?: Record<string, string>) =>
  jest
    .mocked(runWork)
    .mockImplementation(
      async (name: string, options: Json, _opened, { after }: How = {}): Promise<RunView> => {
        const at = (text: string) => new Date(text);
        const ended: RunView = {
          ...{ name, options, counts, running: false },
          ...{ startedAt: at('2026-11-30T10:00:00Z'), updatedAt: at('2026-11-30T10:01:00Z') },
          ...(notes && { notes }),
        };
        const certificates = [
          { id: 'newer', at: at('2026-11-30T10:00:30Z') },
          { id: 'older', at: at('2026-11-30T09:00:00Z') },
        ];
        await after?.({ certificates: async () => certificates } as unknown as OperatorApi, ended);
        return ended;
      },
    );

function call(...args: string[]) {
  const program = new Command('flex-custody');
  registerRecorder(program);
  return program.parseAsync(['node', 'flex-custody', 'recorder', 'short', ...args]);
}

test('without --yes it changes nothing, and names what would be deleted and what stays', async () => {
  works(
    { to_be_erased: 1, disputed: 1 },
    { RE1: 'would be erased: WT1 lasted 4 s', WT2: 'a recording of it lasts 30.0 s' },
  );
  await call();
  expect(runWork).toHaveBeenLastCalledWith('short-calls', { dryRun: true }, undefined, expect.anything());
  expect(out).toMatch(/RE1 +would be erased: WT1 lasted 4 s\nWT2 +a recording of it lasts 30\.0 s/);
  expect(out).toContain('Dry run: nothing changed.');
  expect(process.exitCode).toBeUndefined();
});

test('with --yes it deletes, and prints the certificates of the run', async () => {
  works({ erased: 2, held: 1 });
  await call('--yes', '--json');
  expect(runWork).toHaveBeenLastCalledWith('short-calls', { yes: true }, undefined, expect.anything());
  expect(JSON.parse(out)).toMatchObject({ counts: { erased: 2, held: 1 }, certificates: ['newer'] });
  expect(process.exitCode).toBeUndefined();
});

test('what could not be deleted is a failure', async () => {
  works({ failed_store_denied: 1 });
  await call('--yes');
  expect(process.exitCode).toBe(1);
});
