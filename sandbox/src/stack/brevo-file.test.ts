import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBrevo } from '../brevo/index.ts';
import type { Sandbox } from '../index.ts';
import { brevoEnvironment } from './brevo-file.ts';

test('the file names lists that the double has, and holds no key', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'brevo-file-'));
  try {
    const account = createBrevo();
    const brevo = { apiKey: account.apiKey } as Sandbox['brevo'];
    const sandbox = { account: { accountSid: `AC${'0'.repeat(32)}` } as Sandbox['account'], brevo };
    const environment = brevoEnvironment(sandbox, dataDir);
    expect(environment).toEqual({
      CUSTODY_BREVO_FILE: join(dataDir, 'brevo.yaml'),
      CUSTODY_BREVO_API_KEY: account.apiKey,
    });
    const file = await readFile(join(dataDir, 'brevo.yaml'), 'utf8');
    expect(file).not.toContain(account.apiKey);
    const lists = [...file.matchAll(/^ {2}\w+_(?:contacts|respondents): (\d+)$/gm)].map(([, id]) =>
      Number(id),
    );
    expect(lists).toEqual(account.lists.all().map(({ id }) => id));
  } finally {
    await rm(dataDir, { recursive: true });
  }
});
