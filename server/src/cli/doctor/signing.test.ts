import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../config.ts';
import type { Health } from '../../http/operators/health.ts';
import { newSigningKey } from '../../signing/key-file.ts';
import { loadSigning, makeSigningKey } from '../../signing/load.ts';
import { setScene } from './scene.ts';
import { signingKey } from './signing.ts';

let folder: string;
let signing: Config['signing'];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'doctor-signing-'));
  signing = {
    file: join(folder, 'key.pem'),
    configured: true,
    certificateKeyFile: join(folder, 'certificate.pem'),
  };
});
afterEach(() => rmSync(folder, { recursive: true }));

const accountSid = `AC${'0'.repeat(32)}` as Config['accountSid'];
/** What it says of this configuration, and of what the database tells. */
async function says(newest: string[] = [], unsigned = 0): Promise<unknown> {
  const work = { signing: { newest, unsigned } } as unknown as Health['work'];
  const health = async () => ({ kind: 'pglite', version: 1, work }) as Health;
  const config = { accountSid, authToken: '0'.repeat(32), signing } as Config;
  return signingKey(setScene(config, {}, { health })).catch((error: unknown) => error);
}

test('before the first start there is none, and that is as it should be', async () => {
  expect(await says()).toMatchObject({
    detail: expect.stringMatching(/^none yet: .*first start/),
    next: expect.stringMatching(/^flex-custody keys generate --kind signing --out \S+/),
  });
});

test('that is gone after it has signed must be restored', async () => {
  expect(await says(['k'])).toMatchObject({ next: expect.stringContaining('backup'), code: 'doctor' });
});

test('that others may read must be closed, the old one too', async () => {
  makeSigningKey(signing.file);
  chmodSync(signing.file, 0o640);
  expect(await says()).toMatchObject({ code: 'doctor', next: `chmod 600 ${signing.file}` });
  chmodSync(signing.file, 0o600);
  expect(await says()).toBe(`${loadSigning(signing).keyId} signs`);
  writeFileSync(signing.certificateKeyFile, newSigningKey(), { mode: 0o644 });
  expect(await says()).toMatchObject({ code: 'doctor', next: `chmod 600 ${signing.certificateKeyFile}` });
});

test('that is not the one by which another host has signed must be listed', async () => {
  makeSigningKey(signing.file, 'here');
  expect(await says(['here', 'there'])).toMatchObject({
    code: 'doctor',
    detail: expect.stringContaining('there'),
  });
  expect(await says(['here'])).toBe('here signs');
});

test('says how many sidecars are not signed yet', async () => {
  makeSigningKey(signing.file, 'here');
  expect(await says(['here'], 17)).toMatchObject({
    detail: expect.stringContaining('17 sidecars are not signed yet'),
  });
});
