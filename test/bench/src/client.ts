import { Agent, get, type IncomingMessage } from 'node:http';

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

export interface Played {
  firstByteMs: number;
  ms: number;
  bytes: number;
}

const open = (url: string, headers: Record<string, string>): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    get(url, { headers, agent }, (response) => {
      if (response.statusCode === 200 || response.statusCode === 206) resolve(response);
      else reject(new Error(`${response.statusCode} from ${new URL(url).pathname}`));
    }).once('error', reject);
  });

/** Reads the whole answer and throws it away. */
export async function play(url: string): Promise<Played> {
  const began = performance.now();
  const response = await open(url, {});
  let bytes = 0;
  let firstByteMs = 0;
  return new Promise((resolve, reject) => {
    response.on('data', (chunk: Buffer) => {
      if (bytes === 0) firstByteMs = performance.now() - began;
      bytes += chunk.length;
    });
    response.once('end', () => resolve({ firstByteMs, ms: performance.now() - began, bytes }));
    response.once('error', reject);
    response.once('aborted', () => reject(new Error('cut')));
  });
}

/** Milliseconds to the first byte at `start`, as a player jumps; what it got is held against `expected`. */
export async function seek(url: string, start: number, expected: Buffer): Promise<number> {
  const began = performance.now();
  const response = await open(url, { range: `bytes=${start}-` });
  return new Promise((resolve, reject) => {
    response.once('error', reject);
    response.once('data', (chunk: Buffer) => {
      const ms = performance.now() - began;
      response.destroy();
      const length = Math.min(chunk.length, expected.length);
      if (Buffer.compare(chunk.subarray(0, length), expected.subarray(0, length)) !== 0) {
        reject(new Error(`wrong bytes at ${start}`));
      } else resolve(ms);
    });
  });
}

const tickMs = 100;

/** Takes `length` bytes from `start` at `rate` bytes per second and answers whether every one was right. */
export async function listen(
  url: string,
  start: number,
  length: number,
  rate: number,
  expected: Buffer,
): Promise<boolean> {
  const response = await open(url, { range: `bytes=${start}-${start + length - 1}` });
  let at = 0;
  let isRight = true;
  const perTick = Math.round((rate * tickMs) / 1000);
  return new Promise((resolve, reject) => {
    response.once('error', reject);
    const timer = setInterval(() => {
      let wanted = perTick;
      while (wanted > 0) {
        const chunk: Buffer | null = response.read(
          Math.min(wanted, response.readableLength),
        ) as Buffer | null;
        if (!chunk) break;
        isRight &&= Buffer.compare(chunk, expected.subarray(start + at, start + at + chunk.length)) === 0;
        at += chunk.length;
        wanted -= chunk.length;
      }
      if (at >= length) {
        clearInterval(timer);
        resolve(isRight);
      }
    }, tickMs);
    response.once('aborted', () => {
      clearInterval(timer);
      reject(new Error('cut'));
    });
  });
}
