import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { readText } from './file-input.ts';

test('standard input is read as text, whatever its pieces cut', async () => {
  const bytes = Buffer.from('ä+49\n');
  const pieces = [...bytes].map((byte) => Buffer.from([byte]));
  expect(await readText('-', Readable.from(pieces, { objectMode: false }))).toBe('ä+49\n');
});

test('what never ends is not read for ever', async () => {
  let given = 0;
  const endless = new Readable({
    read() {
      given += 1;
      this.push(Buffer.alloc(64 * 1024));
    },
  });
  await expect(readText('-', endless)).rejects.toMatchObject({
    code: 'file_unreadable',
    message: expect.stringContaining('standard input is longer than 4 MiB'),
  });
  expect([endless.destroyed, given < 100]).toEqual([true, true]);
});

test('a file is named where it is not there, is a folder, or is too long', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'input-'));
  try {
    writeFileSync(join(folder, 'long'), Buffer.alloc(4 * 1024 * 1024 + 1));
    await expect(readText(join(folder, 'none'))).rejects.toThrow(`${folder}/none does not exist`);
    await expect(readText(folder)).rejects.toThrow(`${folder} is a folder`);
    await expect(readText(join(folder, 'long'))).rejects.toThrow('long is longer than 4 MiB');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
