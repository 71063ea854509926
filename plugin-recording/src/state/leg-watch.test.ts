import type { CallSid } from '@flex-custody/core';
import { call, sid } from '../testing';
import type { Call } from './call';
import { legWatch } from './leg-watch';

function watching() {
  const seen: (string | undefined)[] = [];
  return { seen, look: legWatch(({ leg }) => seen.push(leg)) };
}
const { leg: _leg, ...unnamed } = call();
const other = call({ leg: sid('CA', '8') as CallSid });

test.each<[string, Call[][], (string | undefined)[]]>([
  ['joins: told once', [[call()], [call()]], [call().leg]],
  ['not yet joined', [[call({ joined: false })]], []],
  ['of somebody else', [[call({ own: false })]], []],
  ['another leg: told again', [[call()], [other]], [call().leg, other.leg]],
  ['its SID comes late: the same leg', [[unnamed], [call()], [unnamed]], [undefined]],
  ['gone and back', [[call()], [], [call()]], [call().leg, call().leg]],
])('%s', (_what, looks, told) => {
  const { seen, look } = watching();
  for (const calls of looks) look(calls);
  expect(seen).toEqual(told);
});
