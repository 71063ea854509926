import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { codeOf, context, memoryReader, rsaPair, sealSmall } from '../../test/support.ts';
import { openEnvelope } from '../envelope/open-envelope.ts';
import { parseKeyFile } from './key-file.ts';
import { createKeys } from './keys.ts';
import type { KeyConfig } from './types.ts';

const line = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const pem = rsaPair();

async function opensWith(sealedBy: KeyConfig, openedBy: KeyConfig): Promise<string> {
  const message = await sealSmall(createKeys(sealedBy), Buffer.from('hello'), 64);
  return (await openEnvelope(createKeys(openedBy), memoryReader(message), context)).keyId;
}

describe('keys of several ages', () => {
  test('the newest writes, the old ones stay readable (AES)', async () => {
    const [old, recent] = [line('2025'), line('2026')];
    const both = parseKeyFile(`# newest first\n${recent}\n\n${old}\r\n`);
    expect(createKeys(both).keyId).toBe('2026');
    expect(await opensWith(parseKeyFile(old), both)).toBe('2025');
    expect(await opensWith(both, parseKeyFile(recent))).toBe('2026');
    expect(await codeOf(opensWith(both, parseKeyFile(old)))).toBe('envelope_wrong_key');
  });

  test('one id may begin like another', async () => {
    const [short, long] = [line('k1'), line('k10')];
    expect(await opensWith(parseKeyFile(long), parseKeyFile(`${short}\n${long}`))).toBe('k10');
    expect(await opensWith(parseKeyFile(short), parseKeyFile(`${long}\n${short}`))).toBe('k1');
  });

  test('the newest writes, the old ones stay readable (RSA)', async () => {
    const next = rsaPair();
    const both = parseKeyFile(`# key id: b\n${next.privateKeyPem}# key id: a\n${pem.privateKeyPem}`);
    expect(createKeys(both).keyId).toBe('b');
    expect(await opensWith({ kind: 'rsa-public', keyId: 'a', spki: pem.spki }, both)).toBe('a');
    expect(await opensWith(both, both)).toBe('b');
  });
});

describe('an RSA key without a name', () => {
  test('has the same id on both sides', () => {
    const whole = parseKeyFile(pem.privateKeyPem);
    const half = parseKeyFile(`-----BEGIN PUBLIC KEY-----\n${pem.spki}\n-----END PUBLIC KEY-----`);
    expect(half.kind).toBe('rsa-public');
    expect(createKeys(half).keyId).toBe(createKeys(whole).keyId);
    expect(createKeys(half).keyId).toMatch(/^rsa-[0-9a-f]{16}$/);
    expect([createKeys(half).canOpen, createKeys(whole).canOpen]).toEqual([false, true]);
  });
});

describe('refused with key_invalid', () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const locked = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'x',
  });
  const text: [string, string, RegExp][] = [
    ['an empty file', '\n# nothing\n', /no key/],
    ['a key that is too short', `k1:${randomBytes(16).toString('base64')}`, /line 1 .*openssl rand/],
    ['a line without an id', `\n${randomBytes(32).toString('base64')}`, /line 2/],
    ['an id with a space', line('my key'), /key id/],
    ['half a PEM', pem.privateKeyPem.slice(0, 300), /no end/],
    ['a locked PEM', locked.toString(), /passphrase/],
    ['another algorithm', ec.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), /RSA/],
    ['a weak key', rsaPair(1024).privateKeyPem, /2048/],
    [
      'public and private together',
      `${pem.privateKeyPem}-----BEGIN PUBLIC KEY-----\n${pem.spki}\n-----END PUBLIC KEY-----`,
      /mixture/,
    ],
  ];
  test.each(text)('%s', (_what, content, says) => {
    const read = () => createKeys(parseKeyFile(content));
    expect(read).toThrow(says);
    expect(read).toThrow(expect.objectContaining({ code: 'key_invalid' }));
  });

  const configs: [string, KeyConfig][] = [
    ['no key', { kind: 'raw-aes', keys: [] }],
    [
      'two keys of one name',
      { kind: 'raw-aes', keys: [1, 2].map((n) => ({ keyId: 'k', key: new Uint8Array(32).fill(n) })) },
    ],
    ['a short key', { kind: 'raw-aes', keys: [{ keyId: 'k', key: new Uint8Array(31) }] }],
    ['a public key that is none', { kind: 'rsa-public', keyId: 'r', spki: 'AAAA' }],
    ['a KMS alias', { kind: 'kms', keyIds: ['alias/recordings'] }],
    ['no KMS key', { kind: 'kms', keyIds: [] }],
  ];
  test.each(configs)('%s', (_what, config) => {
    expect(() => createKeys(config)).toThrow(expect.objectContaining({ code: 'key_invalid' }));
  });

  test('and never with the key in the message', () => {
    const secret = randomBytes(31).toString('base64');
    expect(() => parseKeyFile(`k1:${secret}`)).not.toThrow(
      new RegExp(secret.slice(0, 8).replace(/[+/]/g, '.')),
    );
  });
});
