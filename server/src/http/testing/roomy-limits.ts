import { createLimits, type Limits } from '../plugins/limits.ts';

/** Limits that no test reaches by accident: the clock advances a minute with each request. */
export function roomyLimits(): Limits {
  let clock = 0;
  const now = () => {
    clock += 60_000;
    return clock;
  };
  return createLimits({
    trustedProxies: ['127.0.0.0/8'],
    streamsPerLink: 1_000,
    streamsPerViewer: 1_000,
    streamsPerAddress: 1_000,
    now,
  });
}
