import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Audio that may pass before what it left behind is collected, bytes. */
const PASSING_BYTES = 2 * 1024 * 1024;

type Collect = (options: { type: 'minor' }) => void;
let collect: Collect | undefined;
let passed = 0;

/**
 * To be told of audio that passed through Buffers which are dead by now, as when it is sealed. Their bytes lie outside
 * V8's heap, where it lets tens of megabytes of them stand before it looks; a look at the young generation alone, every
 * few megabytes, takes well under a millisecond and keeps a copy at the size of what it holds. Not for audio that waits
 * for slow listeners: looked at early it would grow old, and stand all the longer. Does nothing where V8 has no such look.
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
