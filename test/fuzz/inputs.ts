import { CustodyError } from '@flex-custody/core';
import { seeded } from '../../packages/vault/test/support.ts';

/** `FUZZ=long` tries a hundred times as many inputs; another number in `FUZZ_SEED` tries others. */
const isLong = process.env['FUZZ'] === 'long';
const seed = Number(process.env['FUZZ_SEED'] ?? 1);

if (isLong) jest.setTimeout(3_600_000);

const rare = [0, 1, 0x0a, 0x0d, 0x20, 0x22, 0x2d, 0x3a, 0x7f, 0x80, 0xff];
const numbers = [0, 1, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff];

/** Inputs near the given ones: bytes changed, numbers overwritten, pieces cut out, doubled, swapped and of each other. */
export function* near(samples: readonly Buffer[], rounds: number, name: string): Generator<Buffer> {
  const below = seeded(seed + [...name].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7));
  const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T;
  for (const sample of samples) yield sample;
  yield Buffer.alloc(0);
  for (let round = 0; round < (isLong ? rounds * 100 : rounds); round += 1) {
    let bytes: Buffer = Buffer.from(pick(samples));
    for (let change = 1 + below(4); change > 0; change -= 1) {
      const at = below(bytes.length + 1);
      const until = at + below(Math.min(64, bytes.length - at + 1));
      switch (below(7)) {
        case 0:
          if (at < bytes.length) bytes[at] = below(256);
          break;
        case 1:
          if (at < bytes.length) bytes[at] = pick(rare);
          break;
        case 2:
          if (at + 4 <= bytes.length)
            bytes[pick(['writeUInt32LE', 'writeUInt32BE'] as const)](pick(numbers), at);
          break;
        case 3:
          bytes = bytes.subarray(0, at);
          break;
        case 4:
          bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(until)]);
          break;
        case 5:
          bytes = Buffer.concat([bytes.subarray(0, until), bytes.subarray(at)]);
          break;
        default: {
          const other = pick(samples);
          bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(below(other.length + 1))]);
        }
      }
    }
    yield bytes;
  }
}

/** The code of the error that the work ends in; undefined where it ends in a value. @throws whatever is no error of ours */
export async function outcome(input: Buffer, work: () => unknown): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof CustodyError) return error.code;
    throw new Error(`no error of ours for ${input.toString('base64')}`, { cause: error });
  }
}
