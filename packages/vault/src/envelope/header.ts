import { randomBytes } from 'node:crypto';
import {
  type GetCipher,
  type GetDecipher,
  getDecryptionHelper,
  getEncryptHelper,
  MessageFormat,
  NodeAlgorithmSuite,
  type NodeDecryptionMaterial,
  type NodeEncryptionMaterial,
} from '@aws-crypto/material-management-node';
import {
  ContentType,
  deserializeFactory,
  type HeaderInfo,
  type MessageHeaderV2,
  MessageIdLength,
  serializeFactory,
} from '@aws-crypto/serialize';
import { sameDataKey, suite } from '../keys/keys.ts';
import type { Keys } from '../keys/types.ts';
import { envelopeError, FRAME_LENGTH, IV_BYTES, MAX_FRAME_LENGTH } from './format.ts';
import type { SealContext, SecretContext } from './types.ts';

/** A header is a few hundred bytes; what has not ended by here is none. */
export const MAX_HEADER_BYTES = 65_536;
const MAX_DATA_KEYS = 3;

const toUtf8 = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
const { deserializeMessageHeader } = deserializeFactory(toUtf8, NodeAlgorithmSuite);
const { buildMessageHeader, serializeMessageHeader } = serializeFactory(
  (text: string) => Buffer.from(text, 'utf8'),
  {
    utf8Sorting: true,
  },
);

export interface SealedHeader {
  /** The header with its tag: the first bytes of the message. */
  bytes: Buffer;
  messageId: Uint8Array;
  getCipher: GetCipher;
}

/** Begins a message: a fresh data key, wrapped, and the header bound to `context`. */
export async function sealHeader(
  keys: Keys,
  context: SealContext | SecretContext | undefined,
  frameLength = FRAME_LENGTH,
): Promise<SealedHeader> {
  const material = await keys.wrap(context ? contextOf(context) : {});
  return written(material, new Uint8Array(randomBytes(MessageIdLength.V2)), frameLength);
}

const contextOf = (of: SealContext | SecretContext): Record<string, string> =>
  'secret' in of
    ? { account: of.account, secret: of.secret }
    : { account: of.account, recording: of.recording };

/** A header with its tag, for a data key that was wrapped. */
function written(material: NodeEncryptionMaterial, messageId: Uint8Array, frameLength: number): SealedHeader {
  const { getCipher, keyCommitment } = getEncryptHelper(material).getCipherInfo(messageId);
  const body = serializeMessageHeader(
    buildMessageHeader({
      suite,
      encryptedDataKeys: material.encryptedDataKeys,
      encryptionContext: material.encryptionContext,
      messageId,
      frameLength,
      ...(keyCommitment && { suiteData: keyCommitment }),
    }),
  );
  const cipher = getCipher(Buffer.alloc(IV_BYTES));
  cipher.setAAD(Buffer.from(body));
  cipher.final();
  return { bytes: Buffer.concat([body, cipher.getAuthTag()]), messageId, getCipher };
}

export interface ParsedHeader {
  info: HeaderInfo;
  header: MessageHeaderV2;
  /** With its tag: the offset of the first frame. */
  bytes: number;
}

/** Reads a header from the first bytes of a message; undefined when more of them are needed. Nothing is proven yet. */
export function parseHeader(bytes: Buffer): ParsedHeader | undefined {
  refuseForeign(bytes);
  let info: HeaderInfo | false;
  try {
    info = deserializeMessageHeader(bytes);
  } catch (cause) {
    throw envelopeError('malformed', 'this is no header of a sealed message', cause);
  }
  if (info === false) {
    if (bytes.byteLength < MAX_HEADER_BYTES) return undefined;
    throw envelopeError('malformed', `no header ends within ${MAX_HEADER_BYTES} bytes`);
  }
  const header = info.messageHeader;
  if (header.version !== MessageFormat.V2) throw envelopeError('unsupported', 'message format 1 is not read');
  if (header.contentType !== ContentType.FRAMED_DATA) {
    throw envelopeError('unsupported', 'the message is not framed: parts of it cannot be opened alone');
  }
  if (header.encryptedDataKeys.length > MAX_DATA_KEYS) {
    throw envelopeError('unsupported', `more than ${MAX_DATA_KEYS} wrapped data keys`);
  }
  if (header.frameLength === 0 || header.frameLength > MAX_FRAME_LENGTH) {
    throw envelopeError(
      'unsupported',
      `frames of ${header.frameLength} bytes (1 to ${MAX_FRAME_LENGTH} are read)`,
    );
  }
  return { info, header, bytes: info.headerLength + info.headerAuth.headerAuthLength };
}

/** What is no message at all, or one of a kind that we do not read, is said apart from what is damaged. */
function refuseForeign(bytes: Buffer): void {
  const version = bytes[0];
  if (version === undefined) return;
  if (version === MessageFormat.V1) throw envelopeError('unsupported', 'message format 1 is not read');
  if (version !== MessageFormat.V2) throw envelopeError('malformed', 'this is no sealed message');
  if (bytes.byteLength < 3) return;
  const suiteId = bytes.readUInt16BE(1);
  if (suiteId !== suite.id) {
    throw envelopeError(
      'unsupported',
      `algorithm suite 0x${suiteId.toString(16).padStart(4, '0')} is not read (only 0x0478)`,
    );
  }
}

export interface OpenedHeader {
  messageId: Uint8Array;
  frameLength: number;
  getDecipher: GetDecipher;
  keyId: string;
  material: NodeDecryptionMaterial;
}

/** Proves a header: it is of the recording or secret asked for, one of our keys opens it, and not a bit of it was altered. */
export async function openHeader(
  keys: Keys,
  { info, header }: ParsedHeader,
  expected: SealContext | SecretContext | undefined,
): Promise<OpenedHeader> {
  if (expected) refuseOther(header.encryptionContext, expected);
  const { material, keyId } = await keys.unwrap(header.encryptionContext, header.encryptedDataKeys);
  let getDecipher: GetDecipher;
  try {
    getDecipher = getDecryptionHelper(material).getDecipherInfo(header.messageId, header.suiteData);
    const decipher = getDecipher(info.headerAuth.headerIv);
    decipher.setAAD(Buffer.from(info.rawHeader));
    decipher.setAuthTag(Buffer.from(info.headerAuth.headerAuthTag));
    decipher.final();
  } catch (cause) {
    throw envelopeError('tampered', "the header's tag is wrong: the header was altered", cause);
  }
  return { messageId: header.messageId, frameLength: header.frameLength, getDecipher, keyId, material };
}

/** Compares one field of the context beside the account: what names a recording is no secret, and the other way round. */
function refuseOther(is: Readonly<Record<string, string>>, expected: SealContext | SecretContext): void {
  const [kind, name] =
    'secret' in expected
      ? (['secret', expected.secret] as const)
      : (['recording', expected.recording] as const);
  if (is['account'] === expected.account && is[kind] === name) return;
  const found =
    is[kind] && is['account'] ? `this is ${kind} ${is[kind]} of ${is['account']}` : `this names no ${kind}`;
  throw envelopeError('wrong_recording', `${found}, not ${name} of ${expected.account}`);
}

/**
 * Opens the header of a message that is only half written, so that its frames can be sealed on, by the message's own
 * data key: a caller that does so must never seal one frame number with two plaintexts.
 * @throws CustodyError `envelope_*`, `key_*`; `envelope_tampered` too where the data key is not the one committed to
 */
export async function reopenHeader(
  keys: Keys,
  bytes: Buffer,
  expected: SealContext,
): Promise<SealedHeader & { frameLength: number; keyId: string }> {
  const parsed = parseHeader(bytes);
  if (!parsed || parsed.bytes !== bytes.byteLength) {
    throw envelopeError('malformed', 'this is no whole header of a sealed message');
  }
  const { material, messageId, frameLength, keyId } = await openHeader(keys, parsed, expected);
  const again = sameDataKey(material.encryptionContext, material, keyId);
  const { getCipher, keyCommitment } = getEncryptHelper(again).getCipherInfo(messageId);
  if (!keyCommitment || Buffer.compare(keyCommitment, parsed.header.suiteData) !== 0) {
    throw envelopeError('tampered', 'the header commits to another data key');
  }
  return { bytes, messageId, getCipher, frameLength, keyId };
}

/**
 * The header of a message with its data key rewrapped, by the newest key alone. Message id, frame
 * length and data key stay, so every frame behind it opens as before.
 * @param bytes the whole header, with its tag
 * @throws CustodyError `envelope_*`, `key_*`
 */
export async function rewrapHeader(keys: Keys, bytes: Buffer, expected: SealContext): Promise<Buffer> {
  const parsed = parseHeader(bytes);
  if (!parsed || parsed.bytes !== bytes.byteLength) {
    throw envelopeError('malformed', 'this is no whole header of a sealed message');
  }
  const { material, messageId, frameLength } = await openHeader(keys, parsed, expected);
  const wrapped = await keys.rewrap(material.encryptionContext, material);
  const { bytes: renewed } = written(wrapped, messageId, frameLength);
  const commitment = parseHeader(renewed)?.header.suiteData ?? new Uint8Array();
  if (Buffer.compare(commitment, parsed.header.suiteData) !== 0) {
    throw envelopeError('tampered', 'the header commits to another data key');
  }
  return renewed;
}
