import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Audio that may pass before what it left behind is collected, bytes. */
const PASSING_BYTES = 4 * 1024 * 1024;

type Collect = (options: { type: 'minor' }) => void;
let collect: Collect | undefined;
let passed = 0;

/**
 * For the beginning of a process that passes audio on: keeps V8's young generation at its first size. Growing, it would
 * hold on to the more dead Buffers the longer a copy lasts.
 */
export function keepYoungSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/**
 * To be told of audio that passed through short-lived Buffers. Their bytes lie outside V8's heap, where it lets tens of
 * megabytes of dead ones stand before it looks; a look at the young generation alone, every few megabytes, takes well
 * under a millisecond and keeps a process at the size of what it holds. Does nothing where V8 offers no such look.
 */
export function audioPassed(bytes: number): void {
  passed += bytes;
  if (passed < PASSING_BYTES) return;
  passed = 0;
  collect ??= findCollector();
  collect({ type: 'minor' });
}

function findCollector(): Collect {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext("typeof gc === 'function' ? gc : undefined");
  return typeof found === 'function' ? (found as Collect) : () => undefined;
}
