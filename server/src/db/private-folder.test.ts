import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from './open.ts';
// Loads the engine in a way that the tests' realm takes.
import './testing/on-each-engine.ts';
import { privateFolder } from './private-folder.ts';

let folder: string;
let umask: number;
beforeEach(() => {
  // As an admin, or a package, may have made it.
  umask = process.umask(0o022);
  folder = mkdtempSync(join(tmpdir(), 'data-'));
  chmodSync(folder, 0o755);
});
afterEach(() => {
  process.umask(umask);
  rmSync(folder, { recursive: true });
});

const modes = () => {
  const found = new Set<string>();
  for (const name of readdirSync(folder, { recursive: true }).map(String)) {
    const stats = statSync(join(folder, name));
    found.add(`${stats.isDirectory() ? 'folder' : 'file'} ${(stats.mode & 0o777).toString(8)}`);
  }
  return [...found].toSorted();
};
const modeOf = (path: string) => statSync(path).mode & 0o777;

test("every file of the embedded database is its owner's alone, while it is open and after", async () => {
  const db = await openDatabase({ directory: folder });
  await db.query('CREATE TABLE things AS SELECT n FROM generate_series(1, 20000) n; CHECKPOINT');
  expect([modeOf(folder), modes()]).toEqual([0o700, ['file 600', 'folder 700']]);
  await db.close();
  expect(modes()).toEqual(['file 600', 'folder 700']);
  // As earlier releases left it.
  const files = readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name)));
  for (const file of files) chmodSync(file, statSync(file).isDirectory() ? 0o777 : 0o666);
  chmodSync(folder, 0o777);
  const again = await openDatabase({ directory: folder });
  expect(await again.query('SELECT count(*)::int AS n FROM things')).toEqual([{ n: 20_000 }]);
  expect([modeOf(folder), modes()]).toEqual([0o700, ['file 600', 'folder 700']]);
  await again.close();
});

test('what is not the database’s stays as it is', () => {
  mkdirSync(join(folder, 'pglite'), { mode: 0o755 });
  writeFileSync(join(folder, 'pglite', 'PG_VERSION'), '', { mode: 0o666 });
  writeFileSync(join(folder, 'own'), '', { mode: 0o644 });
  privateFolder(folder, ['pglite', 'lock']);
  expect(modeOf(join(folder, 'pglite', 'PG_VERSION'))).toBe(0o600);
  expect(modeOf(join(folder, 'own'))).toBe(0o644);
});

test('a folder for everybody is refused, and left as it is', async () => {
  chmodSync(folder, 0o1777);
  await expect(openDatabase({ directory: folder })).rejects.toMatchObject({
    code: 'data_dir_open',
    message: `${folder} is a folder that all users share: set CUSTODY_DATA_DIR to a folder of its own`,
  });
  expect([readdirSync(folder), statSync(folder).mode & 0o7777]).toEqual([[], 0o1777]);
});

test('a folder of another user is refused, with the next step', async () => {
  const asked = jest.spyOn(process, 'getuid').mockReturnValue(statSync(folder).uid + 1);
  try {
    await expect(openDatabase({ directory: folder })).rejects.toMatchObject({
      code: 'data_dir_open',
      message: expect.stringMatching(/belongs to another user: chown -R \d+ .* or set CUSTODY_DATA_DIR/),
    });
  } finally {
    asked.mockRestore();
  }
});
