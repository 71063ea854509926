import { Readable } from 'node:stream';
import { seeded, wav } from '../../test/support.ts';
import { proveWhole } from './audio-proof.ts';
import {
  looksLikeAudio,
  MAX_HEAD_BYTES,
  readWavHead,
  riffBytes,
  secondsOf,
  WavHead,
  type WavLayout,
} from './wav.ts';

const audio: Buffer = wav(1);
const samples = audio.subarray(44);

/** A chunk, padded to an even length. */
function chunk(id: string, content: Buffer | number, stated?: number): Buffer {
  const bytes = typeof content === 'number' ? Buffer.alloc(content, 7) : content;
  const head = Buffer.alloc(8);
  head.write(id, 0, 'latin1');
  head.writeUInt32LE(stated ?? bytes.length, 4);
  return Buffer.concat([head, bytes, Buffer.alloc(bytes.length % 2)]);
}
const fmt = (tag = 1, bits = 16, more: Buffer = Buffer.alloc(0)): Buffer => {
  const fields = Buffer.from(audio.subarray(20, 36));
  fields.writeUInt16LE(tag, 0);
  fields.writeUInt16LE(bits, 14);
  return chunk('fmt ', Buffer.concat([fields, more]));
};
function file(chunks: Buffer[], { form = 'RIFF', stated = undefined as number | undefined } = {}): Buffer {
  const body = Buffer.concat(chunks);
  const head = Buffer.alloc(12);
  head.write(form, 0, 'latin1');
  head.writeUInt32LE(stated ?? 4 + body.length, 4);
  head.write('WAVE', 8, 'latin1');
  return Buffer.concat([head, body]);
}
function read(bytes: Uint8Array, step = bytes.length || 1): { head: WavHead; behind: Buffer } {
  const head = new WavHead();
  const behind: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += step) {
    behind.push(head.push(bytes.subarray(at, at + step)));
  }
  return { head, behind: Buffer.concat(behind) };
}
const layoutOf = (bytes: Uint8Array): WavLayout | undefined => read(bytes).head.layout;
const guid = (format: number, end = '000000001000800000aa00389b71'): Buffer => {
  const more = Buffer.alloc(24);
  more.writeUInt16LE(22, 0);
  more.writeUInt16LE(16, 2);
  more.writeUInt16LE(format, 8);
  more.set(Buffer.from(end, 'hex'), 10);
  return more;
};

describe('what stands before the samples', () => {
  test.each<[string, Buffer[]]>([
    ['nothing else', []],
    ['a bext of 5,000 bytes', [chunk('bext', 5_000)]],
    ['a LIST of 6,000 bytes', [chunk('LIST', 6_000)]],
    ['chunks of odd lengths', [chunk('JUNK', 27), chunk('fact', 4), chunk('LIST', 1_001)]],
    ['an empty chunk', [chunk('JUNK', 0)]],
    ['64 KiB less the data chunk', [chunk('bext', MAX_HEAD_BYTES - 12 - 24 - 8 - 8)]],
  ])('%s is passed over, however the bytes are cut', (_what, before) => {
    const bytes = file([fmt(), ...before, chunk('data', samples)]);
    const wanted = {
      format: 1,
      channels: 2,
      sampleRate: 8_000,
      bitsPerSample: 16,
      dataBytes: samples.length,
    };
    for (const step of [1, 7, 43, 4_096, bytes.length]) {
      const { head, behind } = read(bytes, step);
      expect(head.layout).toMatchObject({ ...wanted, wholeBytes: bytes.length, byteRate: 32_000 });
      expect(bytes.subarray(head.layout?.dataStart).equals(samples)).toBe(true);
      expect(behind.equals(samples)).toBe(true);
    }
  });

  test('of more than 64 KiB is refused as soon as a size says so, and not read', () => {
    for (const size of [MAX_HEAD_BYTES - 51, 1_000_000, 0xffff_fff0]) {
      const { head, behind } = read(file([fmt(), chunk('LIST', 0, size)]));
      expect([head.layout, head.refusal, behind.length]).toEqual([
        undefined,
        expect.stringContaining('65536'),
        0,
      ]);
    }
  });
});

describe('the extensible format', () => {
  test.each([
    ['PCM', 1, 16, undefined, 1],
    ['mu-law', 7, 8, undefined, 7],
    ['PCM with an empty GUID', 1, 16, '00'.repeat(14), 1],
    ['a GUID that is no format number', 1, 16, 'ab'.repeat(14), 0xfffe],
  ] as const)('around %s', (_what, inside, bits, end, format) => {
    const bytes = file([fmt(0xfffe, bits, guid(inside, end)), chunk('data', samples)]);
    expect(layoutOf(bytes)).toMatchObject({ format, dataStart: 68 });
    for (let cut = 0; cut < 68; cut += 1) expect(layoutOf(bytes.subarray(0, cut))).toBeUndefined();
  });

  test('without a GUID names no format', () => {
    const bytes = file([fmt(0xfffe, 16, Buffer.alloc(2)), chunk('data', samples)]);
    expect(layoutOf(bytes)).toMatchObject({ format: 0xfffe, byteRate: 0 });
  });
});

describe('sizes', () => {
  test.each([0, 0xffff_ffff, 0xffff_ffdb, 0x7fff_f000, 0x7fff_ffff, 0x8000_0000, 0x8000_0024])(
    '%i is what a writer puts there that does not know: open',
    (size) => {
      const bytes = file([fmt(), chunk('data', samples, size)], { stated: size });
      const layout = layoutOf(bytes);
      expect([layout?.dataBytes, layout?.wholeBytes]).toEqual([undefined, undefined]);
      expect(riffBytes(bytes)).toBeUndefined();
      expect(() =>
        proveWhole({ layout, refusal: undefined }, bytes.length, { durationSeconds: 1 }),
      ).not.toThrow();
      const cut = { durationSeconds: 4 };
      expect(() => proveWhole({ layout, refusal: undefined }, bytes.length, cut)).toThrow('lasts 1.0 s');
    },
  );

  test('are not believed against the length of the file', () => {
    const judge = (bytes: Uint8Array, length = bytes.length) => {
      try {
        proveWhole(read(bytes).head, length, {});
        return 'whole';
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(judge(file([fmt(), chunk('data', samples)]))).toBe('whole');
    expect(judge(file([fmt(), chunk('data', samples), chunk('LIST', 40)]))).toBe('whole');
    expect(judge(file([fmt(), chunk('data', samples, samples.length + 2)]))).toBe('media_short');
    expect(judge(file([fmt(), chunk('data', samples, 2 ** 31 + 2 ** 30)]))).toBe('media_short');
    expect(judge(file([fmt(), chunk('data', samples)], { stated: 2_000_000_000 }))).toBe('media_short');
    expect(judge(file([fmt(), chunk('data', samples)]), 30_000)).toBe('media_short');
    expect(judge(Buffer.concat([file([fmt(), chunk('data', samples)]), Buffer.alloc(3)]))).toBe('media_long');
    expect(judge(Buffer.alloc(0))).toBe('media_empty');
    expect(judge(audio.subarray(0, 40))).toBe('media_not_audio');
  });

  test('of RF64 are those of its ds64', () => {
    const ds64 = (whole: number, data: number): Buffer => {
      const content = Buffer.alloc(28);
      content.writeBigUInt64LE(BigInt(whole), 0);
      content.writeBigUInt64LE(BigInt(data), 8);
      return chunk('ds64', content);
    };
    const open = 0xffff_ffff;
    const of = (whole: number, data: number) =>
      file([ds64(whole, data), fmt(), chunk('data', samples, open)], { form: 'RF64', stated: open });
    const length = of(0, 0).length;
    expect(looksLikeAudio(of(0, 0))).toBe(true);
    expect(layoutOf(of(length - 8, samples.length))).toMatchObject({
      dataBytes: samples.length,
      wholeBytes: length,
      dataStart: length - samples.length,
    });
    expect(layoutOf(of(2 ** 33, 2 ** 33 - 100))).toMatchObject({
      dataBytes: 2 ** 33 - 100,
      wholeBytes: 2 ** 33 + 8,
    });
    const without = file([fmt(), chunk('data', samples, open)], { form: 'RF64', stated: open });
    expect(read(without).head.refusal).toContain('ds64');
  });
});

test.each<[string, Buffer, string]>([
  ['an error page', Buffer.from('<html><body>not found</body></html>'), 'begin like'],
  ['big-endian', file([fmt(), chunk('data', samples)], { form: 'RIFX' }), 'RIFX'],
  ['samples before their format', file([chunk('data', samples), fmt()]), 'before their format'],
  ['a fmt chunk that is too short', file([chunk('fmt ', 14), chunk('data', samples)]), 'too short'],
  ['three channels', Object.assign(Buffer.from(audio), { 22: 3 }), 'has one or two'],
])('%s is refused with its reason', (_what, bytes, reason) => {
  for (const step of [1, 5, bytes.length]) {
    const { head, behind } = read(bytes, step);
    expect([head.layout, head.refusal, behind.length]).toEqual([
      undefined,
      expect.stringContaining(reason),
      0,
    ]);
  }
});

test.each([
  ['PCM', 1, 16, 1],
  ['mu-law', 7, 8, 2],
  ['A-law', 6, 8, 2],
  ['another format', 85, 16, undefined],
  ['PCM of no known width', 1, 12, undefined],
])(
  'a length is reckoned from the samples of %s, never from the byte rate that the file states',
  (_what, tag, bits, seconds) => {
    const layout = layoutOf(file([fmt(tag, bits), chunk('data', samples)]));
    expect(layout && secondsOf(layout, samples.length)).toBe(seconds);
  },
);

test('of a file that can be read anywhere only the head is read, and the most of it once', async () => {
  const asked: [number, number][] = [];
  const headOf = (bytes: Buffer) => {
    asked.length = 0;
    return readWavHead(bytes.length, async (start, end) => {
      asked.push([start, end]);
      return Readable.from([bytes.subarray(start, end + 1)]);
    });
  };
  expect((await headOf(wav(10))).layout).toMatchObject({ dataStart: 44 });
  expect(asked).toEqual([[0, 4_095]]);
  expect((await headOf(file([fmt(), chunk('bext', 5_000), chunk('data', samples)]))).layout?.dataStart).toBe(
    5_052,
  );
  expect(asked).toEqual([
    [0, 4_095],
    [4_096, 37_051],
  ]);
  expect((await headOf(Buffer.alloc(0))).isRead).toBe(false);
  expect(asked).toEqual([]);
});

test('whatever the bytes are, the answer is the same however they are cut', () => {
  const below = seeded(11);
  const whole = file([
    chunk('bext', 301),
    fmt(0xfffe, 16, guid(1)),
    chunk('LIST', 99),
    chunk('data', samples.subarray(0, 500)),
  ]);
  const rounds = process.env['FUZZ'] === 'long' ? 100_000 : 3_000;
  for (let round = 0; round < rounds; round += 1) {
    const bytes = Buffer.from(whole.subarray(0, 1 + below(whole.length)));
    for (let change = below(6); change > 0; change -= 1) bytes[below(bytes.length)] = below(256);
    const once = read(bytes);
    const pieces = read(bytes, 1 + below(60));
    expect([pieces.head.layout, pieces.head.refusal]).toEqual([once.head.layout, once.head.refusal]);
    expect(pieces.behind.equals(once.behind)).toBe(true);
  }
});
