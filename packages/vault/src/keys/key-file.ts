import type { KeyObject } from 'node:crypto';
import { CustodyError } from '@flex-custody/core';
import { readPem, rsaKeyId } from './rsa.ts';
import type { KeyConfig } from './types.ts';

const KEY_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const PEM = /(?:^#[ \t]*key id:[ \t]*(\S+)[ \t]*\r?\n)?-----BEGIN ([A-Z ]+)-----[\s\S]+?-----END \2-----/gm;
const BASE64_OF_32_BYTES = /^[A-Za-z0-9+/]{43}=$/;

/**
 * Reads a key file: lines `<key id>:<base64 of 32 bytes>`, newest first, or PEM (private keys, newest first, or one
 * public key), each of which may be named by a line `# key id: NAME` before it and is otherwise named after its own
 * public half. Throws key_invalid, naming the line and never its content.
 */
export function parseKeyFile(text: string): KeyConfig {
  return text.includes('-----BEGIN ') ? parsePem(text) : parseLines(text);
}

/** The PEMs of a file, in order, each with the name from the line before it. @throws CustodyError `key_invalid` */
export function readNamedPems(text: string): { name: string | undefined; pem: string; key: KeyObject }[] {
  const found = [...text.matchAll(PEM)].map(([whole, name]) => {
    const pem = whole.slice(whole.indexOf('-----BEGIN '));
    return { name, pem, key: readPem(name ?? 'in the key file', pem) };
  });
  if (found.length > 0) return found;
  throw new CustodyError(
    'key_invalid',
    text.includes('-----BEGIN ')
      ? 'the PEM in the key file has no end: copy it whole'
      : 'the key file holds no PEM',
  );
}

function parsePem(text: string): KeyConfig {
  const found = readNamedPems(text).map(({ name, pem, key }) => ({
    keyId: checkedId(name ?? rsaKeyId(key), 'a PEM'),
    pem,
    key,
  }));
  if (found.every(({ key }) => key.type === 'private')) {
    return { kind: 'rsa', keys: found.map(({ keyId, pem }) => ({ keyId, privateKeyPem: pem })) };
  }
  const [first] = found;
  if (!first || found.length > 1) {
    throw new CustodyError('key_invalid', 'a key file has private keys, or one public key, not a mixture');
  }
  const spki = first.key.export({ type: 'spki', format: 'der' }).toString('base64');
  return { kind: 'rsa-public', keyId: first.keyId, spki };
}

function parseLines(text: string): KeyConfig {
  const keys: { keyId: string; key: Uint8Array }[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const where = `line ${index + 1} of the key file`;
    const colon = line.lastIndexOf(':');
    const encoded = line.slice(colon + 1).trim();
    if (colon < 1 || !BASE64_OF_32_BYTES.test(encoded)) {
      throw new CustodyError(
        'key_invalid',
        `${where} is not "<key id>:<base64 of 32 bytes>" (make one: openssl rand -base64 32)`,
      );
    }
    const keyId = checkedId(line.slice(0, colon).trim(), where);
    keys.push({ keyId, key: new Uint8Array(Buffer.from(encoded, 'base64')) });
  }
  if (keys.length === 0) throw new CustodyError('key_invalid', 'the key file holds no key');
  return { kind: 'raw-aes', keys };
}

/** 1 to 100 of A-Z a-z 0-9 . _ - beginning with a letter or digit: what may name a key. */
export function isKeyId(id: string): boolean {
  return KEY_ID.test(id);
}

function checkedId(id: string, where: string): string {
  if (isKeyId(id)) return id;
  throw new CustodyError('key_invalid', `${where} has a key id that is not 1 to 100 of A-Z a-z 0-9 . _ -`);
}
