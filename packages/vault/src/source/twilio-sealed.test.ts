import { constants, createCipheriv, generateKeyPairSync, publicEncrypt, randomBytes } from 'node:crypto';
import { credentials, MediaServer, source } from '../../test/media-server.ts';
import { codeOf, collect, rsaPair, wav } from '../../test/support.ts';
import { readTwilioKeys } from './twilio-keys.ts';
import { openSealedMedia } from './twilio-sealed.ts';

const server = new MediaServer();
beforeAll(() => server.start());
afterAll(() => server.stop());
beforeEach(() => {
  server.urls.length = 0;
});

const cek = randomBytes(32);
const iv = randomBytes(12);
const key = { cek, iv: iv.toString('base64') };
const audio = wav(20);

function sealed(plain: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-gcm', cek, iv);
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}
const open = (with_ = key) => openSealedMedia(source, credentials, with_, { stallMs: 300 });
const read = async (with_ = key) => collect((await open(with_)).body);

test('opens to the audio, without the tag', async () => {
  server.offer(sealed(audio));
  const media = await open();
  expect(media).toMatchObject({ contentLength: audio.length, channels: 2, status: 200, acceptRanges: false });
  expect((await collect(media.body)).equals(audio)).toBe(true);
});

test.each([1, 2, 3] as const)('in whatever pieces it comes: %i bytes around the tag', async (size) => {
  const bytes = sealed(wav(0.01));
  server.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'audio/x-wav' });
    const send = (at: number) => {
      if (at >= bytes.length) return void response.end();
      const end = at < bytes.length - 40 ? bytes.length - 40 : at + size;
      response.write(bytes.subarray(at, end), () => setImmediate(send, end));
    };
    send(0);
  };
  expect((await read()).equals(wav(0.01))).toBe(true);
});

test('the channels are those of the audio, whatever Twilio was asked for', async () => {
  const mono = Buffer.from(audio);
  mono.writeUInt16LE(1, 22);
  mono.writeUInt32LE(mono.readUInt32LE(28) / 2, 28);
  server.offer(sealed(mono));
  expect(await open()).toMatchObject({ channels: 1 });
});

test('Twilio may refuse to be asked for channels', async () => {
  const bytes = sealed(audio);
  server.answer = (request, response) => {
    if (request.url?.includes('RequestedChannels')) response.writeHead(400).end();
    else
      response.writeHead(200, { 'content-type': 'audio/x-wav', 'content-length': bytes.length }).end(bytes);
  };
  expect((await read()).equals(audio)).toBe(true);
  expect(server.urls.map((url) => url.split('?')[1])).toEqual([
    'RequestedChannels=2',
    'RequestedChannels=1',
    undefined,
  ]);
});

test.each([
  ['a bit of the tag', -1],
  ['a bit near the end', -40],
  ['a bit in the middle', 100_000],
])('%s altered: the body fails', async (_what, at) => {
  const bytes = sealed(audio);
  const where = at < 0 ? bytes.length + at : at;
  bytes[where] = (bytes[where] ?? 0) ^ 1;
  server.offer(bytes);
  expect(await codeOf(read())).toBe('media_tampered');
});

test('cut short where no length is told, it fails', async () => {
  server.answer = (_request, response) =>
    response.writeHead(200, { 'content-type': 'audio/x-wav' }).end(sealed(audio).subarray(0, 200_000));
  expect(await codeOf(read())).toBe('media_tampered');
});

test('with another key it is no audio, and is refused before a byte is believed', async () => {
  server.offer(sealed(audio));
  expect(await codeOf(open({ ...key, cek: randomBytes(32) }))).toBe('media_not_audio');
});

test('less than a tag is no media', async () => {
  server.offer(Buffer.from('short'));
  expect(await codeOf(read())).toMatch(/^media_/);
});

describe("Twilio's refusals", () => {
  const refuse = (status: number, body: string) => {
    server.answer = (_request, response) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  };
  test('the form is named (16109)', async () => {
    refuse(400, JSON.stringify({ code: 16109, message: 'no mp3' }));
    await expect(open()).rejects.toMatchObject({ code: 'twilio_form_refused', retryable: false });
  });
  test('other codes are told with the status', async () => {
    refuse(503, JSON.stringify({ code: 20503 }));
    await expect(open()).rejects.toThrow('503, code 20503');
    refuse(503, '<html>');
    await expect(open()).rejects.toThrow(/503$/);
  });
});

describe('the keys', () => {
  const sid = (n: number) => `CR${`${n}`.repeat(32)}`;
  const pair = () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    return { publicKey, pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  };
  const [one, two] = [pair(), pair()];
  const wrapped = (publicKey: typeof one.publicKey, bytes = cek) =>
    publicEncrypt(
      { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
      bytes,
    ).toString('base64');
  const file = `# key id: ${sid(1)}\n${one.pem}\n# key id: ${sid(2)}\n${two.pem}`;
  const encryption = (publicKeySid: string, encryptedCek: string) => ({
    publicKeySid,
    encryptedCek,
    iv: key.iv,
  });

  test('the one that Twilio used is chosen by its SID', () => {
    const keys = readTwilioKeys(file);
    expect(keys.sids).toEqual([sid(1), sid(2)]);
    expect(keys.unwrap(encryption(sid(1), wrapped(one.publicKey)))).toEqual(cek);
    expect(keys.unwrap(encryption(sid(2), wrapped(two.publicKey)))).toEqual(cek);
  });

  test.each([
    ['one that is not there', sid(3), wrapped(one.publicKey), 'twilio_key_unknown'],
    ['one that is not the other half', sid(2), wrapped(one.publicKey), 'twilio_key_wrong'],
    ['what is no key of AES-256', sid(1), wrapped(one.publicKey, randomBytes(16)), 'twilio_key_wrong'],
    ['what is not wrapped at all', sid(1), 'AAAA', 'twilio_key_wrong'],
  ])('refused: %s', (_what, publicKeySid, encryptedCek, code) => {
    const unwrap = () => readTwilioKeys(file).unwrap(encryption(publicKeySid, encryptedCek));
    expect(unwrap).toThrow(expect.objectContaining({ code }));
    expect(unwrap).not.toThrow(encryptedCek.slice(0, 20));
  });

  test.each([
    ['without names', one.pem],
    ['with a name that is no SID', `# key id: mine\n${one.pem}`],
    ['twice', `${file}\n# key id: ${sid(1)}\n${two.pem}`],
    [
      'public',
      `# key id: ${sid(1)}\n-----BEGIN PUBLIC KEY-----\n${rsaPair().spki}\n-----END PUBLIC KEY-----`,
    ],
    ['none at all', 'hello'],
  ])('a file is refused: %s', (_what, text) => {
    expect(() => readTwilioKeys(text)).toThrow(expect.objectContaining({ code: 'key_invalid' }));
  });
});
