import { readEncryption } from './recording-encryption.ts';

const sid = `CR${'1'.repeat(32)}`;
const cek = `${'A'.repeat(342)}==`;
const iv = 'uFM4mEKKptceQs/L';
const wanted = { publicKeySid: sid, encryptedCek: cek, iv };
const guide = { public_key_sid: sid, encrypted_cek: cek, iv };
const reference = { encryption_public_key_sid: sid, encryption_cek: cek, encryption_iv: iv };

test.each([
  ['the guide', guide],
  ['the REST reference', reference],
  ['both at once, of one mind', { ...guide, ...reference }],
  ['a mixture', { public_key_sid: sid, encryption_cek: cek, iv, encryption_iv: null }],
  ['a callback', JSON.stringify({ ...guide, type: 'rsa-aes' })],
])('as %s spells it', (_who, details) => {
  expect(readEncryption(details)).toEqual(wanted);
});

test.each([[null], [undefined], ['']])('%p: not encrypted', (details) => {
  expect(readEncryption(details)).toBeUndefined();
});

test.each([
  ['no JSON', '{', 'no JSON'],
  ['a list', [], 'no object'],
  ['a number', 7, 'no object'],
  ['nothing in it', {}, 'public_key_sid'],
  ['no key SID', { ...guide, public_key_sid: 'CR1' }, 'public_key_sid'],
  ['no wrapped key', { ...guide, encrypted_cek: 'AA==' }, 'encrypted_cek'],
  ['an IV of another length', { ...guide, iv: 'AAAA' }, 'encryption_iv'],
  ['contradictions', { ...guide, encryption_iv: 'AAAAAAAAAAAAAAAA' }, 'contradict'],
  ['another type', { ...guide, type: 'ec-aes' }, 'another type'],
])('refused: %s', (_what, details, says) => {
  const read = () => readEncryption(details);
  expect(read).toThrow(expect.objectContaining({ code: 'twilio_encryption_unreadable' }));
  expect(read).toThrow(says);
});
