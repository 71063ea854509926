import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DisableKeyCommand,
  EnableKeyCommand,
  KMSClient as KMS,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { type OwnKms, startKms } from '../../../../sandbox/src/kms/index.ts';
import { codeOf, context, memoryReader, sealSmall } from '../../test/support.ts';
import { openEnvelope } from '../envelope/open-envelope.ts';
import { createKeys } from './keys.ts';
import { kmsError } from './kms-errors.ts';
import type { KeyConfig } from './types.ts';

const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' };
const folder = mkdtempSync(join(tmpdir(), 'kms-'));
let kms: OwnKms;
/** ARNs by the names that these tests call the keys by. */
const arns = new Map<string, string>();
function arn(name: string): string {
  const known = arns.get(name) ?? kms.createKey();
  arns.set(name, known);
  return known;
}
const config = (...names: string[]): KeyConfig => ({ kind: 'kms', keyIds: names.map(arn), credentials });

beforeAll(async () => {
  kms = await startKms({ directory: folder, region: 'eu-west-1', credentials: [credentials] });
  process.env['AWS_ENDPOINT_URL_KMS'] = kms.endpoint;
});
afterAll(async () => {
  delete process.env['AWS_ENDPOINT_URL_KMS'];
  await kms.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  kms.calls.length = 0;
  kms.refuse = undefined;
});

test('one GenerateDataKey by the newest key seals, one Decrypt opens, an old key stays readable', async () => {
  const message = await sealSmall(createKeys(config('old')), Buffer.from('hello'), 64);
  const both = createKeys(config('new', 'old'));
  await sealSmall(both, Buffer.from('hello'), 64);
  expect(kms.calls).toEqual([`GenerateDataKey ${arn('old')}`, `GenerateDataKey ${arn('new')}`]);
  const opened = await openEnvelope(both, memoryReader(message), context);
  expect(opened).toMatchObject({ plaintextBytes: 5, keyId: arn('old') });
  expect(kms.calls.slice(2)).toEqual([`Decrypt ${arn('old')}`]);
});

test('a key that is not ours is not even asked for', async () => {
  const message = await sealSmall(createKeys(config('theirs')), Buffer.from('hello'), 64);
  kms.calls.length = 0;
  expect(await codeOf(openEnvelope(createKeys(config('ours')), memoryReader(message), context))).toBe(
    'envelope_wrong_key',
  );
  expect(kms.calls).toEqual([]);
});

test('a writer that may only generate says so instead of trying', async () => {
  const writer = createKeys({ ...config('a'), generateOnly: true } as KeyConfig);
  const message = await sealSmall(writer, Buffer.from('hello'), 64);
  expect(writer.canOpen).toBe(false);
  expect(await codeOf(openEnvelope(writer, memoryReader(message), context))).toBe('envelope_wrong_key');
});

test.each([
  [400, 'AccessDeniedException', 'key_denied', false],
  [400, 'DisabledException', 'key_denied', false],
  [400, 'KMSInvalidStateException', 'key_denied', false],
  [400, 'NotFoundException', 'key_missing', false],
  [400, 'InvalidKeyUsageException', 'key_invalid', false],
  [400, 'ExpiredTokenException', 'key_credentials', false],
  [400, 'UnrecognizedClientException', 'key_credentials', false],
  [400, 'UnknownOperationException', 'key_unsupported', false],
  [500, 'KMSInternalException', 'key_unavailable', true],
  [500, 'KeyUnavailableException', 'key_unavailable', true],
  [400, 'InvalidCiphertextException', 'envelope_wrong_key', false],
])('%i %s becomes %s', async (status, type, code, retryable) => {
  const keys = createKeys(config('a'));
  const message = await sealSmall(keys, Buffer.from('hello'), 64);
  kms.refuse = { status, type };
  await expect(openEnvelope(keys, memoryReader(message), context)).rejects.toMatchObject({ code, retryable });
  if (code !== 'envelope_wrong_key') {
    await expect(sealSmall(keys, Buffer.from('hello'), 64)).rejects.toMatchObject({ code, retryable });
  }
});

test.each([
  ['ThrottlingException', 'key_unavailable', 'quota'],
  ['DisabledException', 'key_denied', 'enable the key'],
  ['KMSInvalidStateException', 'key_denied', 'cancel the deletion'],
  ['NotFoundException', 'key_missing', 'CUSTODY_KMS_KEY_IDS'],
  ['AccessDeniedException', 'key_denied', 'kms:Decrypt'],
  ['ExpiredTokenException', 'key_credentials', 'AWS_SESSION_TOKEN'],
  ['\u001b[2J', 'key_denied', 'kms:Decrypt'],
])('%j names the key and its own next step', (name, code, next) => {
  const error = kmsError(
    Object.assign(new Error(name), { name, $metadata: { httpStatusCode: 400 } }),
    arn('a'),
  );
  expect(error.code).toBe(code);
  expect(error.message).toContain(arn('a'));
  expect(error.message.slice(error.message.lastIndexOf(': '))).toContain(next);
  expect(error.message).not.toContain('\u001b');
});

/** What an operator does in the AWS console. */
async function change(action: string, name: string, more: object = {}): Promise<void> {
  const client = new KMS({ region: 'eu-west-1', credentials });
  const input = { KeyId: arn(name), ...more };
  if (action === 'delete')
    await client.send(new ScheduleKeyDeletionCommand({ ...input, PendingWindowInDays: 7 }));
  else await client.send(action === 'disable' ? new DisableKeyCommand(input) : new EnableKeyCommand(input));
  client.destroy();
}

test('a key that is disabled opens nothing until it is enabled again', async () => {
  const keys = createKeys(config('paused'));
  const message = await sealSmall(keys, Buffer.from('hello'), 64);
  await change('disable', 'paused');
  expect(await codeOf(openEnvelope(keys, memoryReader(message), context))).toBe('key_denied');
  await change('enable', 'paused');
  await openEnvelope(keys, memoryReader(message), context);
});

test('a key that is deleted takes along what it alone has wrapped, and no more', async () => {
  const [october, november] = [createKeys(config('october')), createKeys(config('november'))];
  const gone = await sealSmall(october, Buffer.from('hello'), 64);
  const kept = await sealSmall(november, Buffer.from('hello'), 64);
  await change('delete', 'october');
  const reader = createKeys(config('november', 'october'));
  expect(await codeOf(openEnvelope(reader, memoryReader(gone), context))).toBe('key_denied');
  expect(await codeOf(sealSmall(october, Buffer.from('hello'), 64))).toBe('key_denied');
  await openEnvelope(reader, memoryReader(kept), context);
});

test("another recording's context opens nothing", async () => {
  const keys = createKeys(config('a'));
  const message = await sealSmall(keys, Buffer.from('hello'), 64);
  const swapped = Buffer.from(message);
  // The account in the header's context, which the KMS holds against what it was given.
  const at = swapped.indexOf(context.account);
  swapped.write('b', at + 5);
  const as = { ...context, account: swapped.toString('latin1', at, at + context.account.length) };
  expect(await codeOf(openEnvelope(keys, memoryReader(swapped), as))).toBe('envelope_wrong_key');
});
