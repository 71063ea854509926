import type { RecordingAnalysis } from '@flex-custody/core';
import { Analyser } from './analyser.ts';
import { mostWindows } from './peaks.ts';
import { type Sound, samplesOf, speech, wavOf } from './testing/speech.ts';

/** The agent is on the second channel. */
function analysed(wav: Buffer, ...sizes: number[]): RecordingAnalysis | undefined {
  const analyser = new Analyser(1);
  for (let at = 0, turn = 0; at < wav.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? wav.length;
    analyser.push(wav.subarray(at, at + size));
    at += size;
  }
  return analyser.end();
}

const talk = (wav: Buffer) => analysed(wav)?.talk;
/** A frame at either end of each turn. */
const near = (ms: number, turns = 1) => ({
  asymmetricMatch: (found: unknown) => Math.abs((found as number) - ms) <= 40 * turns,
  toString: () => `about ${ms}`,
});

const dialogue: Sound[] = [
  { channel: 0, from: 1, to: 4, dbfs: -20 },
  { channel: 1, from: 4.5, to: 9.5, dbfs: -25 },
  { channel: 0, from: 8.5, to: 10, dbfs: -22 },
];

describe('the extensible format', () => {
  const plain = speech({ seconds: 4, noise: -60, sounds: dialogue });
  /** The same samples, in a file whose fmt chunk names the format by a GUID. */
  function extensible(before = Buffer.alloc(0)): Buffer {
    const guid = Buffer.alloc(24);
    guid.writeUInt16LE(22, 0);
    guid.writeUInt16LE(16, 2);
    guid.writeUInt32LE(3, 4);
    guid.set(Buffer.from('0100000000001000800000aa00389b71', 'hex'), 8);
    const file = Buffer.concat([plain.subarray(0, 36), guid, before, plain.subarray(36)]);
    file.writeUInt32LE(40, 16);
    file.writeUInt16LE(0xfffe, 20);
    file.writeUInt32LE(file.length - 8, 4);
    return file;
  }

  test('around PCM is heard as plain PCM of the same samples is', () => {
    const wanted = analysed(plain);
    expect(wanted?.talk).toBeDefined();
    expect(analysed(extensible())).toEqual(wanted);
    expect(analysed(extensible(), 1, 3, 1_000)).toEqual(wanted);
  });

  test('behind chunks of kilobytes, and with an open length, too', () => {
    const list = Buffer.alloc(6_008);
    list.write('LIST', 0);
    list.writeUInt32LE(6_000, 4);
    const file = extensible(list);
    expect(analysed(file, 4_096)).toEqual(analysed(plain));
    file.writeUInt32LE(0xffffffff, 4);
    file.writeUInt32LE(0x7ffff000, file.length - plain.length + 44 - 4);
    expect(analysed(file, 4_096)).toEqual(analysed(plain));
  });
});

describe('who spoke for how long', () => {
  test.each([
    ['on a silent line', undefined],
    ['on a quiet line', -65],
    ['on a noisy line', -48],
  ])('%s', (_what, noise) => {
    const wav = speech({ seconds: 12, ...(noise !== undefined && { noise }), sounds: dialogue });
    expect(talk(wav)).toEqual({
      customerMs: near(4_500, 2),
      agentMs: near(5_000),
      crosstalkMs: near(1_000),
      silenceMs: near(3_500, 3),
      // Until the customer takes the floor.
      agentMonologueMs: near(4_000),
      customerMonologueMs: near(3_000),
      longestMonologueMs: near(4_000),
    });
  });

  test('nobody, where there is noise alone, however loud', () => {
    for (const noise of [-70, -45, -40]) {
      expect(talk(speech({ seconds: 20, noise }))).toMatchObject({
        agentMs: 0,
        customerMs: 0,
        silenceMs: 20_000,
      });
    }
  });

  test('noise that begins in the middle is noise again after some seconds', () => {
    const hum: Sound[] = [{ channel: 0, from: 10, to: 100, dbfs: -41 }];
    const found = talk(speech({ seconds: 100, noise: -60, sounds: hum }));
    expect(found?.customerMs).toBeGreaterThan(0);
    expect(found?.customerMs).toBeLessThan(25_000);
  });

  test('who is heard through on the other channel has not spoken there', () => {
    const sounds: Sound[] = [
      { channel: 0, from: 1, to: 6, dbfs: -15 },
      { channel: 1, from: 1, to: 6, dbfs: -40 },
    ];
    expect(talk(speech({ seconds: 8, noise: -65, sounds }))).toMatchObject({
      customerMs: near(5_000),
      agentMs: 0,
      crosstalkMs: 0,
    });
  });

  test('one channel does not tell who speaks', () => {
    const found = analysed(
      speech({ seconds: 2, channels: 1, sounds: [{ channel: 0, from: 0, to: 1, dbfs: -20 }] }),
    );
    expect(found).toMatchObject({ seconds: 2, peaks: { channels: [expect.any(String)] } });
    expect(found?.talk).toBeUndefined();
  });
});

describe('peaks', () => {
  const values = (of: RecordingAnalysis | undefined, channel = 0) => [
    ...Buffer.from(of?.peaks.channels[channel] ?? '', 'base64'),
  ];

  test('are the loudest of each tenth of a second', () => {
    const samples = new Int16Array(8_000 * 2);
    samples[0] = 32_767;
    samples[1] = -32_768;
    samples[2 * 7_999] = -12_800;
    samples[2 * 800 + 1] = 128;
    const found = analysed(wavOf(Buffer.from(samples.buffer)));
    expect(found?.peaks.windowMs).toBe(100);
    expect(values(found, 0)).toEqual([255, 0, 0, 0, 0, 0, 0, 0, 0, 100]);
    expect(values(found, 1)).toEqual([255, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test('of a long recording are of longer windows, and none is lost', () => {
    // A second of 1,000 samples: an hour fits into a test.
    const seconds = 3_600;
    const samples = new Int16Array(seconds * 1_000);
    samples[1_234 * 1_000] = 25_600;
    samples[samples.length - 1] = -6_400;
    const found = analysed(wavOf(Buffer.from(samples.buffer), { channels: 1, sampleRate: 1_000 }), 65_536);
    const heard = values(found);
    const windowMs = found?.peaks.windowMs ?? 0;
    expect(heard.length).toBeLessThanOrEqual(mostWindows);
    expect(heard.length).toBe(Math.ceil((seconds * 1_000) / windowMs));
    expect(heard[Math.floor(1_234_000 / windowMs)]).toBe(200);
    expect(heard.at(-1)).toBe(50);
    expect(heard.filter((value) => value > 0)).toHaveLength(2);
  });
});

describe('in whatever form it comes', () => {
  const of = { seconds: 12, noise: -60, sounds: dialogue };
  const wav = speech(of);
  const wanted = analysed(wav);

  test.each([[1], [3], [7, 1, 4_096], [44, 1], [160], [65_537]])('in pieces of %p', (...sizes) => {
    expect(analysed(wav, ...sizes)).toEqual(wanted);
  });

  test.each([
    ['a length that was left open', { dataBytes: 0xffffffff }],
    ['none', { dataBytes: 0 }],
    ['another chunk before the samples', { extra: Buffer.from('LIST\u0004\0\0\0INFO', 'latin1') }],
  ])('with %s', (_what, head) => {
    expect(analysed(speech(of, head))).toEqual(wanted);
  });

  test('with other chunks behind the samples', () => {
    const samples = Buffer.from(samplesOf(of).buffer);
    const behind = Buffer.concat([wavOf(samples), Buffer.from('LIST'), Buffer.alloc(5_000, 0x7f)]);
    expect(analysed(behind)).toEqual(wanted);
  });

  test('in mu-law', () => {
    const linear = samplesOf(of);
    const coded = Buffer.from(Array.from(linear, encode));
    const found = analysed(wavOf(coded, of, { format: 7, bits: 8 }));
    expect(found?.talk).toEqual(wanted?.talk);
    expect(found?.seconds).toBe(12);
  });

  test('at another rate', () => {
    expect(analysed(speech({ ...of, sampleRate: 16_000 }))?.talk).toEqual({
      ...wanted?.talk,
      silenceMs: expect.any(Number),
    });
  });

  test('cut short, of what there is', () => {
    expect(analysed(wav.subarray(0, 44 + 3 * 32_000 + 1))).toMatchObject({ seconds: 3 });
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['no WAV', Buffer.from('<html><body>Bad gateway</body></html>')],
    ['zeros without end', Buffer.alloc(200_000)],
    ['a head alone', speech({ seconds: 0 })],
    ['another codec', speech({ seconds: 1 }, { format: 49 })],
    ['24 bit', speech({ seconds: 1 }, { bits: 24 })],
    ['three channels', wavOf(Buffer.alloc(600), { channels: 3 as 2 })],
  ])('%s says nothing, and does no harm', (_what, bytes) => {
    expect(analysed(bytes, 1_000)).toBeUndefined();
  });
});

/** G.711's encoder, written down from the standard: the decoder's table is held against it. */
function encode(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(32_635, Math.abs(sample)) + 0x84;
  let exponent = 7;
  for (let mask = 0x4000; (magnitude & mask) === 0 && exponent > 0; mask >>= 1) exponent -= 1;
  return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)) & 0xff;
}
