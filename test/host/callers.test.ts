import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../support/until.ts';
import { type RealHost, startRealHost } from './real-host.ts';

jest.setTimeout(240_000);

/** As the sandbox's callers are. */
const caller = '+14155550142';
let host: RealHost;
beforeAll(async () => {
  host = await startRealHost({ CUSTODY_CALLER_SECRET: Buffer.alloc(32, 9).toString('base64') });
});
afterAll(() => host.stop());

async function taken(): Promise<string> {
  const { recordings } = await host.place({ seconds: 4 });
  const [sid = ''] = recordings;
  expect((await host.run('reconcile', '--since', '2020-01-01', '--no-bucket')).code).toBe(0);
  await host.reaches(sid, 'verified');
  await until(async () => (await host.show(sid)).caller !== undefined);
  return sid;
}

const runWith = (input: string, ...words: string[]) =>
  new Promise<string>((resolve) => {
    const child = execFile(
      process.execPath,
      ['server/bin/flex-custody.mjs', ...words],
      { env: host.env },
      (_error, out, err) => resolve(out + err),
    );
    child.stdin?.end(input);
  });

test('a caller is named on standard input; with another secret, what was noted before is held, and no number finds it', async () => {
  const sid = await taken();
  // No list of processes shows the number.
  expect(await runWith('+1 (415) 555-0142\n', 'erase', '--caller', '-')).toContain(`${sid}  would be erased`);

  const policyFile = join(host.dataDir, 'policy.yaml');
  writeFileSync(policyFile, `version: 1\nholds: [{id: case-17, callers: ["${caller}"]}]\n`);
  const change = {
    CUSTODY_CALLER_SECRET: Buffer.alloc(32, 8).toString('base64'),
    CUSTODY_POLICY_FILE: policyFile,
  };
  await host.restart(change, async () => {
    expect((await host.run('adopt-database', '--yes')).code).toBe(0);
  });
  const erased = await host.run('erase', '--recording', sid, '--yes');
  expect([erased.code, erased.out]).toEqual([1, expect.stringContaining(`${sid}  held by case-17`)]);
  expect((await host.play(sid)).status).toBe(200);
  const found = await host.run('erase', '--caller', caller);
  expect(found.out).toContain('No matching recordings.');
  expect(found.err).toContain(
    'No number finds 1 recordings whose caller was stored under another caller secret',
  );
});
