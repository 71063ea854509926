import type { KeyObject } from 'node:crypto';
import { CustodyError } from '@flex-custody/core';
import { readKeyLines, type WrittenKey } from './key-lines.ts';
import { readPem, rsaKeyId } from './rsa.ts';
import type { KeyConfig } from './types.ts';

/**
 * Reads a key file: lines `<key id>:<base64 of 32 bytes>`, newest first, or PEM (private keys, newest first, or one
 * public key), each of which may be named by a line `# key id: NAME` before it and is otherwise named after its own
 * public half. Throws key_invalid, naming the line and never its content.
 */
export function parseKeyFile(text: string): KeyConfig {
  const written = readKeyLines(text);
  const [first] = written;
  if (!first) throw new CustodyError('key_invalid', 'the key file holds no key');
  const other = written.find(({ kind }) => kind !== first.kind);
  if (other) throw mixture(other.line);
  if (first.kind === 'raw') {
    return {
      kind: 'raw-aes',
      keys: written.flatMap((one) => (one.kind === 'raw' ? [{ keyId: one.name, key: one.key }] : [])),
    };
  }
  const found = written.flatMap((one) => (one.kind === 'pem' ? [rsaOf(one)] : []));
  if (found.every(({ key }) => key.type === 'private')) {
    return { kind: 'rsa', keys: found.map(({ keyId, pem }) => ({ keyId, privateKeyPem: pem })) };
  }
  const [only] = found;
  if (!only || found.length > 1) {
    const odd = found.find(({ key }) => key.type !== found[0]?.key.type) ?? found[1];
    throw mixture(odd?.line ?? 1);
  }
  const spki = only.key.export({ type: 'spki', format: 'der' }).toString('base64');
  return { kind: 'rsa-public', keyId: only.keyId, spki };
}

const mixture = (line: number) =>
  new CustodyError(
    'key_invalid',
    `line ${line} of the key file begins a key of another kind: a key file has private keys, one public key, or AES keys, not a mixture`,
  );

function rsaOf({ line, name, pem }: WrittenKey & { kind: 'pem' }) {
  const key = readPem(name ?? `on line ${line} of the key file`, pem);
  return { line, pem, key, keyId: name ?? rsaKeyId(key) };
}

/** The RSA keys of a file that has nothing else, in order, each with the name from the line before it. @throws CustodyError `key_invalid` */
export function readNamedPems(text: string): { line: number; name: string | undefined; key: KeyObject }[] {
  const written = readKeyLines(text);
  if (written.length === 0) throw new CustodyError('key_invalid', 'the key file holds no PEM');
  return written.map((one) => {
    if (one.kind === 'pem') return { name: one.name, ...rsaOf(one) };
    throw new CustodyError('key_invalid', `line ${one.line} of the key file is no PEM: these keys are RSA`);
  });
}
