import { wav } from '../../test/support.ts';
import { SampleDigest } from './sample-digest.ts';

const digest = (bytes: Buffer, step = bytes.length): string | undefined => {
  const samples = new SampleDigest();
  for (let at = 0; at < bytes.length; at += step) samples.push(bytes.subarray(at, at + step));
  return samples.end();
};
const audio = wav(0.5);
const with_ = (chunk: Buffer, at: number): Buffer =>
  Buffer.concat([audio.subarray(0, at), chunk, audio.subarray(at)]);
const list = Buffer.concat([Buffer.from('LIST\x10\x27\0\0', 'latin1'), Buffer.alloc(10_000)]);

test('in whatever pieces it comes', () => {
  for (const step of [1, 7, 43, 44, 45, 4_096]) expect(digest(audio, step)).toBe(digest(audio));
});

test('what stands around the samples does not count', () => {
  expect(digest(with_(list, 36), 500)).toBe(digest(audio));
  expect(digest(Buffer.concat([audio, list]), 500)).toBe(digest(audio));
  const open = wav(0.5, 2, { data: 0xffffffff });
  expect(digest(open)).toBe(digest(audio));
});

test('a sample, their number and their format do', () => {
  const changes = [audio.length - 1, 44, 22, 24, 34].map((at) => {
    const bytes = Buffer.from(audio);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return digest(bytes);
  });
  const all = [digest(audio), digest(audio.subarray(0, -2)), ...changes];
  expect(new Set(all).size).toBe(all.length);
});

test('what is no WAV file has none', () => {
  expect(digest(Buffer.from('not a recording'))).toBeUndefined();
  expect(digest(audio.subarray(0, 40))).toBeUndefined();
  expect(digest(Buffer.alloc(70_000, 'RIFF'), 500)).toBeUndefined();
});
