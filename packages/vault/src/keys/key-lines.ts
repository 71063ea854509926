import { CustodyError } from '@flex-custody/core';
import { isKeyId } from './key-id.ts';

/** One key of a key file, as it is written there. */
export type WrittenKey =
  | { kind: 'pem'; line: number; name: string | undefined; label: string; pem: string }
  | { kind: 'raw'; line: number; name: string; key: Uint8Array };

const nameLine = /^#[ \t]*key id:[ \t]*(\S+)$/;
/** A comment that begins as a name does, and is none: its writer meant to name a key. */
const almostNameLine = /^#[#\s]*key[\s_-]*id(?![a-z])/i;
const begin = /^-----BEGIN ([A-Z0-9]+(?: [A-Z0-9]+)*)-----$/;
const dashes = /^--|--$/;
/** The line by which an older PEM says that it has a passphrase. */
const header = /^(?:Proc-Type|DEK-Info):/;
const base64Line = /^[A-Za-z0-9+/]+={0,2}$/;
const rawLine = /^(.+):[ \t]*([A-Za-z0-9+/]{43}=)$/;

/**
 * Reads a key file line by line. A line is blank, a comment (`# …`), the name of the PEM that begins on the next line
 * (`# key id: NAME`), part of a PEM, or `<key id>:<base64 of 32 bytes>`. A line that is none of these is refused: it may be a
 * damaged key, or a name that would be lost.
 * @param where for messages: the file, or the variable
 * @throws CustodyError `key_invalid`, which names the line and never its content
 */
export function readKeyLines(text: string, where = 'the key file'): WrittenKey[] {
  const refuse = (line: number, why: string): never => {
    throw new CustodyError('key_invalid', `line ${line} of ${where} ${why}`);
  };
  if (text.startsWith('\uFEFF'))
    refuse(1, 'begins with a byte order mark: save the file as UTF-8 without one');
  const lines = text.split('\n').map((line) => line.trim());
  const found: WrittenKey[] = [];
  let name: { text: string; line: number } | undefined;
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    const number = at + 1;
    const label = begin.exec(line)?.[1];
    if (name && label === undefined)
      refuse(name.line, 'names a key, and no PEM begins on the line behind it: put it right before its PEM');
    if (label !== undefined) {
      const { pem, end } = readPemLines(lines, at, label, refuse);
      found.push({ kind: 'pem', line: number, name: name?.text, label, pem });
      name = undefined;
      at = end;
    } else if (line.startsWith('#')) {
      const named = nameLine.exec(line)?.[1];
      if (named !== undefined && isKeyId(named)) name = { text: named, line: number };
      else if (named !== undefined || almostNameLine.test(line))
        refuse(
          number,
          'is no name of a key: write `# key id: NAME`, in small letters, with a name of 1 to 100 of A-Z a-z 0-9 . _ -',
        );
    } else if (line !== '') {
      found.push(readRawLine(line, number, refuse));
    }
  }
  if (name) refuse(name.line, 'names a key, and no PEM is behind it');
  return found;
}

type Refuse = (line: number, why: string) => never;

/** @returns the PEM in its canonical form, and the index of its last line */
function readPemLines(
  lines: readonly string[],
  first: number,
  label: string,
  refuse: Refuse,
): { pem: string; end: number } {
  const last = `-----END ${label}-----`;
  let body = '';
  for (let at = first + 1; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    if (line === last) {
      if (!isWhole(body))
        refuse(first + 1, 'begins a PEM that holds less or more than one key: copy it whole');
      const wrapped = body.match(/.{1,64}/g) ?? [];
      return { pem: `${[lines[first], ...wrapped, last].join('\n')}\n`, end: at };
    }
    if (header.test(line))
      refuse(
        at + 1,
        'says that the key is locked by a passphrase: store it unlocked (openssl pkey -in … -out …) where only the host reads it',
      );
    if (line === '' && body === '') continue;
    if (!base64Line.test(line) || body.endsWith('='))
      refuse(at + 1, `is no part of the PEM that began on line ${first + 1}: copy the key whole`);
    body += line;
  }
  return refuse(first + 1, 'begins a PEM that has no end: copy it whole');
}

/**
 * Whether it is base64 of one ASN.1 structure, to the last byte. OpenSSL leaves what is behind it unread: of two keys between
 * which an END and a BEGIN line were lost, the second one would be dropped.
 */
function isWhole(body: string): boolean {
  if (body.length % 4 !== 0) return false;
  const bytes = Buffer.from(body, 'base64');
  return bytes[0] === 0x30 && lengthOf(bytes) === bytes.length;
}

/** Of the first structure, with its head. Source: X.690, 8.1.3 */
function lengthOf(bytes: Buffer): number | undefined {
  const first = bytes[1];
  if (first === undefined) return undefined;
  if (first < 0x80) return 2 + first;
  const count = first & 0x7f;
  if (count < 1 || count > 4 || bytes.length < 2 + count) return undefined;
  return 2 + count + bytes.readUIntBE(2, count);
}

function readRawLine(line: string, number: number, refuse: Refuse): WrittenKey {
  const [, name, encoded] = rawLine.exec(line) ?? [];
  if (name === undefined || encoded === undefined)
    return refuse(
      number,
      dashes.test(line)
        ? 'begins or ends no PEM: a line of a PEM has five dashes on both sides; copy the key whole'
        : 'is no PEM, no comment (#), and not "<key id>:<base64 of 32 bytes>" (make one: openssl rand -base64 32)',
    );
  const id = name.trim();
  if (!isKeyId(id)) return refuse(number, 'has a key id that is not 1 to 100 of A-Z a-z 0-9 . _ -');
  return { kind: 'raw', line: number, name: id, key: new Uint8Array(Buffer.from(encoded, 'base64')) };
}
