import { chmodSync, mkdtempSync, rmSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPrivateFile, rightsFault } from './private-file.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'private-'));
  file = join(folder, 'key');
  writeFileSync(file, 'hush');
});
afterEach(() => rmSync(folder, { recursive: true }));

test.each([0o600, 0o400])('a key that its owner alone may read is read (%o)', (mode) => {
  chmodSync(file, mode);
  expect(readPrivateFile(file, 'read')).toBe('hush');
});

test.each([
  [0o644, 'may be read by others (mode 0644)'],
  [0o640, 'may be read by others (mode 0640)'],
  [0o604, 'may be read by others (mode 0604)'],
  [0o666, 'may be read and written by others (mode 0666)'],
  [0o620, 'may be written by others (mode 0620)'],
])('a key with mode %o is refused, with the next step', (mode, is) => {
  chmodSync(file, mode);
  expect(() => readPrivateFile(file, 'read')).toThrow(
    expect.objectContaining({
      code: 'file_open_to_others',
      message: `${file}, which ${is}: chmod 600 ${file}`,
    }),
  );
});

test('a policy may be read by others, and not be written by them', () => {
  chmodSync(file, 0o644);
  expect(readPrivateFile(file, 'write')).toBe('hush');
  chmodSync(file, 0o664);
  expect(() => readPrivateFile(file, 'write')).toThrow(`others (mode 0664): chmod go-w ${file}`);
});

describe('by who asks', () => {
  const as = (me: number | undefined, uid: number, mode: number) => {
    const asked = jest.spyOn(process, 'getuid').mockReturnValue(me as number);
    try {
      return rightsFault('f', { ...statSync(file), uid, mode } as Stats, 'read');
    } finally {
      asked.mockRestore();
    }
  };
  test("root's file may be read by this user's group, as containers mount secrets", () => {
    expect(as(1000, 0, 0o440)).toBeUndefined();
    expect(as(1000, 0, 0o444)?.is).toContain('read by others');
    expect(as(1000, 0, 0o460)?.is).toContain('written by others');
  });
  test("a stranger's file is no secret", () => {
    expect(as(1000, 1001, 0o600)).toEqual({
      is: 'belongs to another user',
      next: 'chown 1000 f && chmod 600 f',
    });
    expect(as(0, 1001, 0o600)).toBeUndefined();
  });
  test('where a system has no such rights nothing is looked at', () => {
    expect(as(undefined, 0, 0o666)).toBeUndefined();
  });
});
