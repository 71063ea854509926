import { codeOf, wav } from '../../test/support.ts';
import { AudioProof, type StatedLength } from './audio-proof.ts';
import { WavHead, type WavLayout } from './wav.ts';

const layoutOf = (bytes: Buffer): WavLayout | undefined => {
  const head = new WavHead();
  head.push(bytes);
  return head.layout;
};

/** The code of what is wrong with it, or undefined. */
async function judge(bytes: Buffer, stated: StatedLength = {}): Promise<string | undefined> {
  const proof = new AudioProof(stated);
  try {
    for (let at = 0; at < bytes.length; at += 1_000) proof.push(bytes.subarray(at, at + 1_000));
    proof.end();
    return undefined;
  } catch (error) {
    return codeOf(Promise.reject(error));
  }
}
/** Of so many seconds, with fields of its format changed: `[offset, value, bytes]`. */
const changed = (seconds: number, ...fields: [number, number, 2 | 4][]): Buffer => {
  const bytes = wav(seconds);
  for (const [at, value, size] of fields) bytes.writeUIntLE(value, at, size);
  return bytes;
};
const [format, channels, byteRate, bits] = [20, 22, 28, 34];

test.each<[string, number, StatedLength, string | undefined]>([
  ['as long as stated', 10, { durationSeconds: 10 }, undefined],
  ['a rounding shorter', 8.6, { durationSeconds: 10 }, undefined],
  ['shorter than any rounding', 8.4, { durationSeconds: 10 }, 'media_short'],
  ['a rounding longer', 11.4, { durationSeconds: 10 }, undefined],
  ['longer than any rounding', 11.6, { durationSeconds: 10 }, 'media_long'],
  ['of no stated length', 3, {}, undefined],
  ['shorter by a skipped pause', 6, { durationSeconds: 10, pausedSeconds: 4 }, undefined],
  ['with the pause, which Twilio may count', 10, { durationSeconds: 10, pausedSeconds: 4 }, undefined],
  ['shorter than without the pause', 4, { durationSeconds: 10, pausedSeconds: 4 }, 'media_short'],
  ['longer for all its pauses', 12, { durationSeconds: 10, pausedSeconds: 4 }, 'media_long'],
])('audio %s', async (_what, seconds, stated, code) => {
  expect(await judge(wav(seconds), stated)).toBe(code);
});

test.each([0, 1, 320_000, 0xffffffff])('a byte rate of %i that a file states is not asked', async (rate) => {
  expect(layoutOf(changed(10, [byteRate, rate, 4]))?.byteRate).toBe(32_000);
  expect(await judge(changed(10, [byteRate, rate, 4]), { durationSeconds: 10 })).toBeUndefined();
  expect(await judge(changed(1, [byteRate, rate, 4]), { durationSeconds: 10 })).toBe('media_short');
});

test('a stated length is refused where the length cannot be calculated', async () => {
  for (const odd of [changed(10, [format, 0x11, 2]), changed(10, [bits, 0, 2])]) {
    expect(await judge(odd, { durationSeconds: 10 })).toBe('media_not_audio');
    expect(await judge(odd)).toBeUndefined();
  }
});

test('mu-law and A-law are reckoned too', async () => {
  for (const kind of [6, 7]) {
    const bytes = changed(10, [format, kind, 2], [bits, 8, 2]);
    expect(await judge(bytes, { durationSeconds: 20 })).toBeUndefined();
    expect(await judge(bytes, { durationSeconds: 10 })).toBe('media_long');
  }
});

test.each([0, 3, 65_535])('%i channels are no recording', async (count) => {
  expect(await judge(changed(1, [channels, count, 2]))).toBe('media_not_audio');
});

test('the extensible format is the one inside', async () => {
  const plain = wav(10);
  const extra = Buffer.alloc(24);
  extra.writeUInt16LE(22, 0);
  extra.writeUInt16LE(1, 8);
  const bytes = Buffer.concat([plain.subarray(0, 36), extra, plain.subarray(36)]);
  bytes.writeUInt16LE(0xfffe, format);
  bytes.writeUInt32LE(40, 16);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  expect(layoutOf(bytes)).toMatchObject({ format: 1, byteRate: 32_000 });
  for (let cut = 16; cut < 60; cut += 1) expect(layoutOf(bytes.subarray(0, cut))).toBeUndefined();
  expect(await judge(bytes, { durationSeconds: 10 })).toBeUndefined();
  expect(await judge(bytes, { durationSeconds: 5 })).toBe('media_long');
});
