import { randomBytes } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import {
  aesKeys,
  codeOf,
  collect,
  context,
  inChunks,
  memoryReader,
  rsaPair,
  sealSmall,
  seeded,
} from '../../test/support.ts';
import { createKeys } from '../keys/keys.ts';
import type { Keys } from '../keys/types.ts';
import { openBytes, sealBytes } from './bytes.ts';
import { FINAL_OVERHEAD, FRAME_OVERHEAD } from './format.ts';
import { sealFrame } from './frame.ts';
import { parseHeader, sealHeader } from './header.ts';
import { openEnvelope } from './open-envelope.ts';
import { openStream } from './open-stream.ts';
import { sealStream } from './seal.ts';
import type { SealContext } from './types.ts';

const keys = aesKeys('k1');
const F = 64;

async function streamed(
  message: Buffer,
  expected: SealContext | undefined = context,
  by: Keys = keys,
): Promise<Buffer> {
  const opener = openStream(by, expected);
  const [plaintext] = await Promise.all([collect(opener), pipeline(inChunks(message, 61, 3, 200), opener)]);
  return plaintext;
}

async function ranged(message: Buffer, expected = context, by: Keys = keys): Promise<Buffer> {
  const opened = await openEnvelope(by, memoryReader(message), expected);
  return opened.plaintextBytes === 0 ? Buffer.alloc(0) : collect(opened.read(0, opened.plaintextBytes - 1));
}

const ways = [
  ['streaming', streamed],
  ['ranged', ranged],
] as const;

describe.each(ways)('the %s reader', (_name, open) => {
  const sizes = [0, 1, F - 1, F, F + 1, 3 * F, 3 * F + 17, 9000];
  test.each(sizes)('gives back %i bytes', async (size) => {
    const plaintext = randomBytes(size);
    expect((await open(await sealSmall(keys, plaintext, F))).equals(plaintext)).toBe(true);
  });

  test.each([F, 2 * F, 200 * F])(
    'takes a full final frame, as other SDKs may write it (%i bytes)',
    async (size) => {
      const plaintext = randomBytes(size);
      const message = await sealSmall(keys, plaintext, F, { fullFinal: true });
      expect((await open(message)).equals(plaintext)).toBe(true);
    },
  );

  test('refuses every altered bit', async () => {
    const message = await sealSmall(keys, randomBytes(2 * F + 9), F);
    for (let bit = 0; bit < message.length * 8; bit += 1) {
      const altered = Buffer.from(message);
      altered[bit >> 3]! ^= 1 << (bit & 7);
      expect([bit, await codeOf(open(altered))]).toEqual([bit, expect.stringMatching(/^envelope_/)]);
    }
  });

  test('refuses every truncation', async () => {
    const message = await sealSmall(keys, randomBytes(2 * F + 9), F);
    for (let length = 0; length < message.length; length += 1) {
      const code = await codeOf(open(message.subarray(0, length)));
      expect([length, code]).toEqual([
        length,
        expect.stringMatching(/^envelope_(truncated|trailing_bytes|malformed)$/),
      ]);
    }
  });

  test.each([1, 15, F, F + FRAME_OVERHEAD, F + FRAME_OVERHEAD + 1, 10 * F])(
    'refuses %i trailing bytes',
    async (extra) => {
      const message = await sealSmall(keys, randomBytes(2 * F + 9), F);
      expect(await codeOf(open(Buffer.concat([message, randomBytes(extra)])))).toBe(
        'envelope_trailing_bytes',
      );
    },
  );

  test('refuses a recording that is not the one asked for', async () => {
    const other = { ...context, recording: `RE${'c'.repeat(32)}` };
    const message = await sealSmall(keys, randomBytes(10), F, { context: other });
    expect(await codeOf(open(message))).toBe('envelope_wrong_recording');
    const elsewhere = { ...context, account: `AC${'c'.repeat(32)}` };
    expect(await codeOf(open(await sealSmall(keys, randomBytes(10), F, { context: elsewhere })))).toBe(
      'envelope_wrong_recording',
    );
  });

  test('refuses a message of another key, of the same name too', async () => {
    expect(await codeOf(open(await sealSmall(aesKeys('k2'), randomBytes(10), F)))).toBe('envelope_wrong_key');
    expect(await codeOf(open(await sealSmall(aesKeys('k1'), randomBytes(10), F)))).toBe('envelope_wrong_key');
  });

  test('refuses what is no message, and frames beyond what it will hold in memory', async () => {
    expect(await codeOf(open(Buffer.from('<html>not a message</html>')))).toBe('envelope_malformed');
    expect(await codeOf(open(await sealSmall(keys, randomBytes(10), 1_048_577)))).toBe(
      'envelope_unsupported',
    );
  });

  test('tells apart who only seals', async () => {
    const { spki } = rsaPair();
    const writer = createKeys({ kind: 'rsa-public', keyId: 'r1', spki });
    const message = await sealSmall(writer, randomBytes(10), F);
    expect(await codeOf(open(message, context, writer))).toBe('envelope_wrong_key');
    await expect(open(message, context, writer)).rejects.toThrow(/only seals/);
  });
});

describe('frames out of their place', () => {
  async function frames(plaintext: Buffer): Promise<{ header: Buffer; regular: Buffer[]; final: Buffer }> {
    const message = await sealSmall(keys, plaintext, F);
    const at = parseHeader(message)!.bytes;
    const body = message.subarray(at);
    const n = Math.floor((body.length - FINAL_OVERHEAD) / (F + FRAME_OVERHEAD));
    const regular = Array.from({ length: n }, (_, i) =>
      Buffer.from(body.subarray(i * (F + FRAME_OVERHEAD), (i + 1) * (F + FRAME_OVERHEAD))),
    );
    return { header: message.subarray(0, at), regular, final: body.subarray(n * (F + FRAME_OVERHEAD)) };
  }

  test.each(ways)('are refused by the %s reader', async (_name, open) => {
    const { header, regular, final } = await frames(randomBytes(3 * F + 5));
    const swapped = Buffer.concat([header, regular[1]!, regular[0]!, regular[2]!, final]);
    expect(await codeOf(open(swapped))).toBe('envelope_frame_order');
    const repeated = Buffer.concat([header, regular[0]!, regular[0]!, regular[2]!, final]);
    expect(await codeOf(open(repeated))).toBe('envelope_frame_order');
    const dropped = Buffer.concat([header, regular[0]!, regular[2]!, final]);
    expect(await codeOf(open(dropped))).toBe('envelope_frame_order');
  });

  test.each(ways)('are refused by the %s reader though renumbered', async (_name, open) => {
    const { header, regular, final } = await frames(randomBytes(3 * F + 5));
    const renumber = (frame: Buffer, sequence: number, iv: boolean) => {
      const copy = Buffer.from(frame);
      copy.writeUInt32BE(sequence, 0);
      if (iv) copy.writeUInt32BE(sequence, 12);
      return copy;
    };
    for (const iv of [true, false]) {
      const forged = [renumber(regular[1]!, 1, iv), renumber(regular[0]!, 2, iv), regular[2]!];
      expect(await codeOf(open(Buffer.concat([header, ...forged, final])))).toBe('envelope_tampered');
    }
  });

  test('are refused in another message of the same length and keys', async () => {
    const one = await frames(randomBytes(3 * F + 5));
    const two = await frames(randomBytes(3 * F + 5));
    const mixed = Buffer.concat([one.header, one.regular[0]!, two.regular[1]!, one.regular[2]!, one.final]);
    expect(await codeOf(streamed(mixed))).toBe('envelope_tampered');
    expect(await codeOf(ranged(mixed))).toBe('envelope_tampered');
  });
});

describe('a frame whose nonce is not its number', () => {
  /** As a writer that counts otherwise seals: the tag holds. */
  async function counted(otherwise: (sequence: number) => number): Promise<Buffer> {
    const { bytes, messageId, getCipher } = await sealHeader(keys, context, F);
    const plaintext = randomBytes(2 * F + 9);
    const parts = [bytes];
    for (const [index, final] of [false, false, true].entries()) {
      const piece = plaintext.subarray(index * F, (index + 1) * F);
      const sealed = sealFrame(
        (iv) => getCipher(nonceOf(otherwise(iv ? Buffer.from(iv).readUInt32BE(8) : 0))),
        messageId,
        index + 1,
        [piece],
        piece.length,
        final,
      );
      nonceOf(otherwise(index + 1)).copy(sealed[0]!, final ? 8 : 4);
      parts.push(...sealed);
    }
    return Buffer.concat(parts);
  }
  const nonceOf = (number: number): Buffer => {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32BE(number, 8);
    return nonce;
  };

  test.each(ways)(
    'is not read by the %s reader where its tag holds, and is no damage',
    async (_name, open) => {
      expect((await open(await counted((sequence) => sequence))).length).toBe(2 * F + 9);
      expect(await codeOf(open(await counted((sequence) => sequence + 7)))).toBe('envelope_unsupported');
    },
  );

  test.each(ways)('was altered where its tag does not hold (%s)', async (_name, open) => {
    const message = await sealSmall(keys, randomBytes(2 * F + 9), F);
    message[parseHeader(message)!.bytes + 4]! ^= 1;
    expect(await codeOf(open(message))).toBe('envelope_tampered');
  });
});

describe('a store that states another size than its answer has', () => {
  const sizes = [0, 1, 4_000, 5_000, 8_000, 20_000];

  test.each(sizes)('is refused for a message of %i bytes, whatever it states', async (size) => {
    const message = await sealSmall(keys, randomBytes(size), F);
    const lone = parseHeader(message)!.bytes + FINAL_OVERHEAD;
    for (const stated of [0, 12, lone, lone + 40, message.length - 1, message.length + 1, Number.NaN, -1]) {
      if (stated === message.length) continue;
      const { read } = memoryReader(message);
      const reader = {
        read: async (start: number, end: number) => ({ ...(await read(start, end)), totalBytes: stated }),
      };
      const code = await codeOf(openEnvelope(keys, reader, context));
      expect([stated, code]).toEqual([stated, expect.stringMatching(/^envelope_/)]);
      // Of an object that one read gives whole it is known at once which of both is longer.
      const shown = !(stated >= 0) ? 'malformed' : stated < message.length ? 'trailing_bytes' : 'truncated';
      if (message.length <= 8_192) expect([stated, code]).toEqual([stated, `envelope_${shown}`]);
    }
  });
});

describe('a range', () => {
  test('is exact wherever it begins and ends', async () => {
    const below = seeded(7);
    for (const size of [1, F, 10 * F, 10 * F + 13]) {
      const plaintext = randomBytes(size);
      const opened = await openEnvelope(keys, memoryReader(await sealSmall(keys, plaintext, F)), context);
      expect(opened.plaintextBytes).toBe(size);
      for (let turn = 0; turn < 60; turn += 1) {
        const start = below(size);
        const end = start + below(size - start);
        const part = await collect(opened.read(start, end));
        expect([start, end, part.equals(plaintext.subarray(start, end + 1))]).toEqual([start, end, true]);
      }
    }
  });

  test('is one request, for the frames it touches', async () => {
    const reader = memoryReader(await sealSmall(keys, randomBytes(500 * F), F));
    const opened = await openEnvelope(keys, reader, context);
    expect(reader.reads).toHaveLength(2);
    reader.reads.length = 0;
    await collect(opened.read(100 * F + 3, 101 * F + 3));
    expect(reader.reads).toHaveLength(1);
    const [[from, to]] = reader.reads as [[number, number]];
    expect(to - from + 1).toBe(2 * (F + FRAME_OVERHEAD));
  });

  test('opens a small message by one request', async () => {
    const reader = memoryReader(await sealSmall(keys, randomBytes(500), F));
    await openEnvelope(keys, reader, context);
    expect(reader.reads).toHaveLength(1);
  });

  test('with the size expected, header and end are asked for at once, and a wrong expectation does no harm', async () => {
    const plaintext = randomBytes(300_000);
    const sealed = await sealSmall(keys, plaintext, 65_536);
    for (const [off, reads] of [
      [0, 2],
      [-1, 3],
      [1, 2],
      [-250_000, 3],
      [1_000_000, 3],
    ] as const) {
      const reader = { ...memoryReader(sealed), expectedBytes: sealed.length + off };
      const opened = await openEnvelope(keys, reader, context);
      expect(opened.plaintextBytes).toBe(plaintext.length);
      expect(reader.reads).toHaveLength(reads);
      expect((await collect(opened.read(0, plaintext.length - 1))).equals(plaintext)).toBe(true);
    }
  });

  test.each([
    [-1, 3],
    [5, 4],
    [0, 500],
  ])('%i to %i of 500 bytes is a mistake of the caller', async (start, end) => {
    const opened = await openEnvelope(
      keys,
      memoryReader(await sealSmall(keys, randomBytes(500), F)),
      context,
    );
    expect(() => opened.read(start, end)).toThrow(RangeError);
  });

  test('releases nothing of an altered frame', async () => {
    const message = await sealSmall(keys, randomBytes(5 * F), F);
    const header = parseHeader(message)!.bytes;
    message[header + 2 * (F + FRAME_OVERHEAD) + 30]! ^= 1;
    const opened = await openEnvelope(keys, memoryReader(message), context);
    const released: Buffer[] = [];
    const body = opened.read(0, 5 * F - 1).on('data', (chunk: Buffer) => released.push(chunk));
    const error = await new Promise((resolve) => body.on('error', resolve));
    expect(error).toMatchObject({ code: 'envelope_tampered' });
    expect(Buffer.concat(released).length).toBeLessThanOrEqual(2 * F);
  });

  test('fails when the store ends early', async () => {
    const whole = memoryReader(await sealSmall(keys, randomBytes(500), F));
    const opened = await openEnvelope(keys, whole, context);
    const read = whole.read.bind(whole);
    whole.read = (start, end) => read(start, end - 40);
    expect(await codeOf(collect(opened.read(0, 499)))).toBe('envelope_truncated');
  });

  test('lets go of the store as soon as its reader is gone', async () => {
    const whole = memoryReader(await sealSmall(keys, randomBytes(500), F));
    const opened = await openEnvelope(keys, whole, context);
    const asked = new Promise<AbortSignal>((resolve) => {
      whole.read = (_start, _end, signal) => {
        resolve(signal!);
        return new Promise(() => undefined);
      };
    });
    const body = opened.read(0, 499);
    const signal = await asked;
    expect(signal.aborted).toBe(false);
    body.destroy();
    await new Promise((resolve) => body.once('close', resolve));
    expect(signal.aborted).toBe(true);
  });

  test('ends with the caller’s signal', async () => {
    const opened = await openEnvelope(
      keys,
      memoryReader(await sealSmall(keys, randomBytes(500), F)),
      context,
    );
    const stop = new AbortController();
    const body = opened.read(0, 499, stop.signal);
    stop.abort();
    await expect(collect(body)).rejects.toThrow(/abort/i);
  });
});

test('a final frame that claims to be endless is refused before anything is held for it', async () => {
  const message = await sealSmall(keys, randomBytes(9), F);
  message.writeUInt32BE(0x7fffffff, parseHeader(message)!.bytes + 20);
  expect(await codeOf(streamed(message))).toBe('envelope_malformed');
});

test('any portions of plaintext seal to the same length and open to the same bytes', async () => {
  const below = seeded(11);
  for (const size of [0, 1, 65_535, 65_536, 65_537, 200_000]) {
    const plaintext = randomBytes(size);
    const sealer = await sealStream(keys, context);
    const chunks = [1 + below(70_000), 1 + below(100), 1 + below(300_000)];
    const [message] = await Promise.all([collect(sealer), pipeline(inChunks(plaintext, ...chunks), sealer)]);
    const header = parseHeader(message)!.bytes;
    const full = Math.floor(size / 65_536);
    expect(message.length).toBe(header + size + full * FRAME_OVERHEAD + FINAL_OVERHEAD);
    expect((await streamed(message)).equals(plaintext)).toBe(true);
  }
});

describe('a secret, bound to its name', () => {
  const secret = { account: context.account, secret: 'crm' };

  test('opens under it alone, and never as a recording', async () => {
    const message = await sealBytes(keys, secret, Buffer.from('hush'));
    expect((await openBytes(keys, secret, message)).toString()).toBe('hush');
    for (const other of [
      { ...secret, secret: 'other' },
      { ...secret, account: 'AC1' },
      { account: context.account, recording: 'crm' },
    ])
      expect(await codeOf(openBytes(keys, other, message))).toBe('envelope_wrong_recording');
  });

  test('no recording opens as one', async () => {
    const message = await sealBytes(keys, context, Buffer.from('audio'));
    const as = { account: context.account, secret: context.recording };
    expect(await codeOf(openBytes(keys, as, message))).toBe('envelope_wrong_recording');
  });
});
