import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { type: 'minor' }) => void;
let collect: Collect | undefined;

/**
 * Collects V8's young generation each time so many bytes of audio have passed through short-lived Buffers, as when audio is
 * sealed. The Buffers' bytes are outside V8's heap, where V8 lets tens of megabytes pile up before it collects; one
 * collection of the young generation takes well under a millisecond. Not for audio that waits for slow listeners: an early
 * collection would move it to the old generation, where it stays longer. Does nothing where V8 has no such collection.
 * @returns the function to call with each number of bytes that has passed
 */
export function collectYoungEvery(bytes: number): (passed: number) => void {
  let since = 0;
  return (passed) => {
    since += passed;
    if (since < bytes) return;
    since = 0;
    collect ??= findCollector();
    collect({ type: 'minor' });
  };
}

function findCollector(): Collect {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext("typeof gc === 'function' ? gc : undefined");
  return typeof found === 'function' ? (found as Collect) : () => undefined;
}
