import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { headerBytes, type Media, openMediaFile, type WavSource } from './media.ts';

const path = 'sandbox/media/dialogue.wav';
let media: Media;
let file: Buffer;

beforeAll(async () => {
  media = await openMediaFile(path);
  file = await readFile(path);
});
afterAll(() => media.close());

const read = async (source: WavSource, channels: 1 | 2, start = 0, end = source.size(channels) - 1) => {
  const chunks: Buffer[] = [];
  for await (const chunk of source.stream(channels, start, end)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

test('the dialogue is thirty seconds of two channels and plays as it lies there', async () => {
  expect(media).toMatchObject({ seconds: 30, channels: 2 });
  const source = media.recording({ channels: 2, seconds: 30 });
  expect((await read(source, 2)).equals(file)).toBe(true);
});

test('a longer call repeats it, a shorter one ends early, and both say their size rightly', async () => {
  for (const seconds of [0.5, 75.25]) {
    const wav = await read(media.recording({ channels: 2, seconds }), 2);
    const samples = seconds * 8000 * 4;
    expect(wav.length).toBe(44 + samples);
    expect([wav.readUInt32LE(4), wav.readUInt32LE(40)]).toEqual([36 + samples, samples]);
    const base = file.subarray(headerBytes);
    for (const at of [0, samples / 2 - 2, samples - 4])
      expect(wav.readInt32LE(headerBytes + at)).toBe(base.readInt32LE(at % base.length));
  }
});

test('any range of any form equals that range of the whole', async () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed % below;
  };
  const source = media.recording({ channels: 2, seconds: 61, skipSeconds: 2, mark: 'RE1' });
  for (const channels of [1, 2] as const) {
    const whole = await read(source, channels);
    for (let round = 0; round < 60; round += 1) {
      const start = random(round < 30 ? 700 : whole.length);
      const end = Math.min(whole.length - 1, start + random(round % 2 ? 9 : 300_000));
      const part = await read(source, channels, start, end);
      expect(part.equals(whole.subarray(start, end + 1))).toBe(true);
    }
    expect(await source.sha256(channels)).toBe(createHash('sha256').update(whole).digest('hex'));
  }
});

test('the digest of a long one leaves the loop to others in between', async () => {
  let turns = 0;
  let over = false;
  const turn = () => {
    turns += 1;
    if (!over) setImmediate(turn);
  };
  setImmediate(turn);
  await media.recording({ channels: 2, seconds: 600 }).sha256(2);
  over = true;
  expect(turns).toBeGreaterThan(30);
});

test('one channel of two is their mean', async () => {
  const source = media.recording({ channels: 2, seconds: 10 });
  const [both, mono] = [await read(source, 2), await read(source, 1)];
  expect(mono.readUInt16LE(22)).toBe(1);
  for (const sample of [0, 1000, 40_000, 79_999]) {
    const at = headerBytes + sample * 4;
    const mean = (both.readInt16LE(at) + both.readInt16LE(at + 2)) >> 1;
    expect(mono.readInt16LE(headerBytes + sample * 2)).toBe(mean);
  }
});

test('no two recordings are equal, yet the mark cannot be heard', async () => {
  const one = await read(media.recording({ channels: 2, seconds: 1, mark: 'RE1' }), 2);
  const two = await read(media.recording({ channels: 2, seconds: 1, mark: 'RE2' }), 2);
  expect(one.equals(two)).toBe(false);
  for (let at = headerBytes; at < one.length; at += 2)
    expect(Math.abs(one.readInt16LE(at) - file.readInt16LE(at))).toBeLessThanOrEqual(1);
});

test('hours are only a length: the end of ten of them is read at once', async () => {
  const source = media.recording({ channels: 2, seconds: 36_000, mark: 'RE1' });
  const size = source.size(2);
  expect(size).toBe(44 + 36_000 * 32_000);
  const tail = await read(source, 2, size - 8, size - 1);
  expect(tail.equals(file.subarray(-8))).toBe(true);
});

describe('a file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sandbox-media-'));
  });
  afterAll(() => rm(folder, { recursive: true }));
  const open = async (change: (wav: Buffer) => Buffer) => {
    const name = join(folder, 'x.wav');
    await writeFile(name, change(Buffer.from(file)));
    return openMediaFile(name);
  };
  const set = (offset: number, value: number) => (wav: Buffer) => {
    wav.writeUInt16LE(value, offset);
    return wav;
  };

  test.each<[string, (wav: Buffer) => Buffer, string]>([
    ['of another kind', () => Buffer.from('ID3 not a wav at all'), 'no WAV'],
    ['of 16 kHz', set(24, 16_000), '16000 Hz'],
    ['of 8 bit', set(34, 8), '8 bit'],
    ['of µ-law', set(20, 7), 'not plain PCM'],
    ['of 6 channels', set(22, 6), '6 channels'],
    ['without samples', (wav) => wav.subarray(0, 44), 'no samples'],
    ['cut in its header', (wav) => wav.subarray(0, 36), 'no samples'],
  ])('%s is refused with the way out', async (_what, change, message) => {
    await expect(open(change)).rejects.toThrow(message);
    await expect(open(change)).rejects.toThrow('sox in.wav -r 8000 -b 16 out.wav');
  });

  test('of one channel gives no two', async () => {
    const mono = await open(set(22, 1));
    expect(mono).toMatchObject({ channels: 1, seconds: 60 });
    expect(() => mono.recording({ channels: 2, seconds: 1 })).toThrow('1 channel');
    await mono.close();
  });

  test('with other chunks before its samples plays too', async () => {
    const list = Buffer.from('LIST\x03\x00\x00\x00abc\x00', 'latin1');
    const odd = await open((wav) => Buffer.concat([wav.subarray(0, 36), list, wav.subarray(36)]));
    const source = odd.recording({ channels: 2, seconds: 30 });
    expect((await read(source, 2)).equals(file)).toBe(true);
    await odd.close();
  });

  test('too long for memory is read from the disk, the same', async () => {
    const times = 20;
    const samples = Buffer.concat(Array.from({ length: times }, () => file.subarray(headerBytes)));
    const long = await open((wav) => {
      wav.writeUInt32LE(samples.length, 40);
      return Buffer.concat([wav.subarray(0, headerBytes), samples]);
    });
    expect(long.seconds).toBe(600);
    const source = long.recording({ channels: 2, seconds: 600, mark: 'RE1' });
    const repeated = media.recording({ channels: 2, seconds: 600, mark: 'RE1' });
    expect(await source.sha256(2)).toBe(await repeated.sha256(2));
    await long.close();
  });
});
