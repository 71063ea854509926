import { Transform, type TransformCallback } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

export const faultTargets = [
  'media',
  'api',
  'taskrouter',
  'iam',
  'webhooks',
  'events',
  'conversations',
  'flex-api',
  's3',
] as const;
export type FaultTarget = (typeof faultTargets)[number];

export const faultKinds = ['status', 'cut', 'stall', 'slow', 'html', 'empty', 'short'] as const;
export type FaultKind = (typeof faultKinds)[number];

/**
 * What goes wrong, and how often. `value`: HTTP status for `status`; bytes that still pass for `cut`, `stall` and
 * `short` (default: half of the body); bytes a second for `slow` on a body, milliseconds before the answer elsewhere.
 * `cut` breaks the connection, `short` ends cleanly too early and without Content-Length, `stall` says nothing more.
 */
export interface Fault {
  target: FaultTarget;
  kind: FaultKind;
  value?: number;
  /** What S3 calls a `status`, and what it says with it. */
  failure?: { code: string; region?: string; endpoint?: string };
  /** How many requests it meets; 0 = until it is cleared. */
  times: number;
  /** Meets only requests whose `METHOD /path?query` contains this. */
  match?: string;
}

export interface Faults {
  add(fault: Fault): void;
  /** The fault that this request meets, if any; uses it up. */
  take(target: FaultTarget, request: string): Fault | undefined;
  list(): readonly Fault[];
  clear(): void;
}

export function createFaults(): Faults {
  let pending: Fault[] = [];
  return {
    add: (fault) => void pending.push({ ...fault }),
    take(target, request) {
      const meeting = pending.filter(
        (fault) => fault.target === target && (fault.match === undefined || request.includes(fault.match)),
      );
      // What lasts for certain requests is theirs, whatever passes by meanwhile.
      const found = meeting.find((fault) => fault.times === 0 && fault.match !== undefined) ?? meeting[0];
      if (!found) return undefined;
      if (found.times === 1) pending = pending.filter((fault) => fault !== found);
      else if (found.times > 1) found.times -= 1;
      return found;
    },
    list: () => pending,
    clear: () => {
      pending = [];
    },
  };
}

/**
 * Lets a body through as the fault wants it.
 * @param total length of the undisturbed body
 * @param breakOff called once where the connection is to break
 */
export function disturb(fault: Fault, total: number, breakOff: () => void): Transform {
  const limit = fault.kind === 'slow' ? Number.POSITIVE_INFINITY : (fault.value ?? Math.floor(total / 2));
  const rate = fault.kind === 'slow' ? Math.max(1, fault.value ?? 64_000) : undefined;
  let passed = 0;
  const passSlowly = async (stream: Transform, chunk: Buffer, bytesPerSecond: number) => {
    const piece = Math.max(1, Math.ceil(bytesPerSecond / 20));
    for (let at = 0; at < chunk.length && !stream.destroyed; at += piece) {
      const part = chunk.subarray(at, at + piece);
      stream.push(part);
      await sleep((part.length / bytesPerSecond) * 1000);
    }
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      if (rate !== undefined) {
        passSlowly(this, chunk, rate).then(() => done(), done);
        return;
      }
      const room = Math.max(0, limit - passed);
      const part = chunk.subarray(0, room);
      passed += part.length;
      if (part.length > 0) this.push(part);
      if (part.length === chunk.length) return done();
      if (fault.kind === 'short') {
        this.push(null);
        return undefined;
      }
      // A stall never calls back: what reads this waits until it gives up.
      if (fault.kind === 'cut') setImmediate(breakOff);
      return undefined;
    },
  });
}
