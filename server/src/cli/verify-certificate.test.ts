import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificateType } from '../retention/certificate.ts';
import { newSigningKey } from '../signing/key-file.ts';
import { testSigning } from '../signing/testing/identity.ts';
import { buildProgram, run } from './program.ts';

const AC = (digit: string) => `AC${digit.repeat(32)}`;
const pem = newSigningKey('2026');
const signing = testSigning(pem);
const stranger = testSigning(newSigningKey('other-host'));
const certificate = {
  iss: AC('a'),
  jti: '0b5f2c36-5b3b-4c57-9a51-0f2f3c1f9d11',
  iat: 1_780_000_000,
  reason: 'erasure',
  reference: 'ticket 17\u001b[2J',
  policy: 'none',
  begun: 'by a newer release',
  recordings: [
    { recording: `RE${'b'.repeat(32)}`, versions: 3, twilio: 'deleted', at: '2026-11-26T10:00:00.000Z' },
    { recording: `RE${'c'.repeat(32)}`, versions: 1, twilio: 'gone', at: '2026-11-26T10:00:01.000Z' },
  ],
};
const environment = {
  TWILIO_ACCOUNT_SID: AC('a'),
  TWILIO_AUTH_TOKEN: '0123456789abcdef'.repeat(2),
  TWILIO_WORKSPACE_SID: `WS${'0b'.repeat(16)}`,
  CUSTODY_PUBLIC_URL: 'https://custody.example.com/',
  AWS_REGION: 'eu-central-1',
  CUSTODY_BUCKET: 'recordings',
  CUSTODY_STORAGE_MODE: 'sse-kms',
  CUSTODY_SSE_KMS_KEY_ID: 'arn:aws:kms:eu-central-1:123456789012:key/1',
  CUSTODY_FUNCTION_SECRETS: 'f'.repeat(32),
  CUSTODY_MEDIA_SECRET: Buffer.alloc(32, 1).toString('base64'),
  CUSTODY_SIGNING_KEYS: pem,
};

let folder: string;
let out: string[];
let err: string[];
const before = process.env;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'certificates-'));
  out = [];
  err = [];
  process.env = { PATH: before['PATH'], ...environment };
  jest.spyOn(console, 'log').mockImplementation((text) => void out.push(String(text)));
  jest.spyOn(console, 'error').mockImplementation((text) => void err.push(String(text)));
});
afterEach(() => {
  process.env = before;
  process.exitCode = 0;
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const fileOf = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
async function verify(jws: string, ...more: string[]) {
  const program = buildProgram({ version: '1', serve: async () => undefined, more: [] });
  const file = fileOf('certificate.jws', `${jws}\n`);
  const code = await run(program, ['node', 'flex-custody', 'certificates', 'verify', file, ...more]);
  return { code, out: out.join('\n'), err: err.join('\n') };
}
const signed = (by = signing, of: object = certificate) => by.sign(certificateType, JSON.stringify(of));
const jwkFile = async (of: typeof signing) => fileOf('key.jwk', JSON.stringify((await of.publicJwks())[0]));

test('what it says is printed, without control characters', async () => {
  const done = await verify(await signed());
  expect(done).toEqual({ code: 0, err: '', out: expect.any(String) });
  expect(done.out.split('\n')).toEqual([
    `account      ${AC('a')}`,
    'certificate  0b5f2c36-5b3b-4c57-9a51-0f2f3c1f9d11',
    'signed       2026-05-28T20:26:40.000Z by the key 2026',
    'reason       erasure',
    'reference    ticket 17?[2J',
    'policy       none',
    'recordings   2, 4 versions in the bucket',
    '',
    `RECORDING${' '.repeat(25)}  VERSIONS  AT TWILIO  ERASED                    NOTE`,
    `RE${'b'.repeat(32)}         3  deleted    2026-11-26T10:00:00.000Z  -`,
    `RE${'c'.repeat(32)}         1  gone       2026-11-26T10:00:01.000Z  -`,
  ]);
});

test('as JSON it is whole', async () => {
  const done = await verify(await signed(), '--json');
  expect(JSON.parse(done.out)).toEqual({
    certificate,
    keyId: '2026',
    isListed: true,
    expected: AC('a'),
    isOfExpected: true,
  });
});

test.each([
  ['than the configured one', []],
  ['than the one that is named', ['--account', AC('c')]],
])('of another account %s, it is said and the command fails', async (_what, more) => {
  const done = await verify(await signed(signing, { ...certificate, iss: AC('b') }), ...more);
  expect(done).toMatchObject({
    code: 1,
    err: `It is for the account ${AC('b')}, and not for ${more[1] ?? AC('a')}.`,
    out: expect.stringContaining('reason       erasure'),
  });
});

test("signed by another host's key, it names the key that it wants", async () => {
  const done = await verify(await signed(stranger));
  expect(done.code).toBe(1);
  expect(done.err).toContain('certificate_key: it was signed by the key other-host');
  expect(done.err).toContain('(2026)');
  expect(done.err).not.toContain('altered');
});

test('altered, it is said so', async () => {
  const [head = '', , end] = (await signed()).split('.');
  const other = Buffer.from(JSON.stringify({ ...certificate, reason: 'retention' })).toString('base64url');
  const done = await verify(`${head}.${other}.${end}`);
  expect([done.code, done.err.split('\n')[0]]).toEqual([
    1,
    'certificate_invalid: it was altered since it was signed',
  ]);
});

test('by a key that is named, and this host does not list', async () => {
  const done = await verify(await signed(stranger), '--key', await jwkFile(stranger));
  expect(done).toMatchObject({ code: 0, err: 'This host does not list its key other-host.' });
  const wrong = await verify(await signed(), '--key', await jwkFile(stranger));
  expect([wrong.code, wrong.err.split('\n').at(-2)]).toEqual([
    1,
    'certificate_key: it was signed by the key 2026, and this is other-host',
  ]);
});

test('where no host is configured, the key is enough, and the account is left to compare', async () => {
  process.env = { PATH: before['PATH'], CUSTODY_SIGNING_KEY_FILE: '/nowhere/signing-key.pem' };
  const key = await jwkFile(signing);
  const alone = await verify(await signed(), '--key', key, '--json');
  expect([alone.code, JSON.parse(alone.out)]).toEqual([0, { certificate, keyId: '2026' }]);
  expect(alone.err).toContain('Not compared: neither TWILIO_ACCOUNT_SID nor --account');
});

test('what signs something else, signs no certificate', async () => {
  const done = await verify(await signed(signing, { hello: 1 }));
  expect([done.code, done.err.split('\n')[0]]).toEqual([
    1,
    'certificate_invalid: the signed text is no certificate: iss is missing or malformed',
  ]);
});

test.each([
  ['the certificate', (file: string) => [file]],
  ['the key', (file: string) => [join(folder, 'there.jws'), '--key', file]],
])('%s that is not there is said to be so, whatever else is wrong', async (_what, args) => {
  process.env = { PATH: before['PATH'] };
  fileOf('there.jws', await signed());
  const missing = join(folder, 'missing');
  const program = buildProgram({ version: '1', serve: async () => undefined, more: [] });
  const code = await run(program, ['node', 'flex-custody', 'certificates', 'verify', ...args(missing)]);
  expect([code, err]).toEqual([1, [expect.stringContaining(`file_unreadable: ${missing} does not exist`)]]);
});

test('of a short call it prints the session, the times and the policy', async () => {
  const session = {
    ...{ id: `WT${'d'.repeat(32)}\u001b[2J`, seconds: 4.5, minimumSeconds: 10, settings: 7 },
    ...{ connectedAt: '2026-11-26T09:00:00.000Z', closedAt: '2026-11-26T09:00:04.500Z' },
  };
  const recordings = certificate.recordings.map((one) => ({ ...one, session }));
  const { out: text } = await verify(
    await signed(signing, { ...certificate, reason: 'short-session', recordings }),
  );
  expect(text).toContain('reason       short-session');
  expect(text).toContain(
    'was connected for 4.5 s (2026-11-26T09:00:00.000Z to 2026-11-26T09:00:04.500Z), less than 10 s by version 7 of the data source',
  );
  expect(text).not.toContain('\u001b');
});
