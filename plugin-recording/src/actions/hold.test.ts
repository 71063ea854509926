import { parseReport, type Report } from '@flex-custody/core';
import type { Call } from '../state/call';
import { call, sid } from '../testing';
import { afterHold, type HoldPayload } from './hold';

const now = 1_795_000_000_000;
const customer = sid('CA', '1');
const participants = [
  { participantType: 'customer', participantSid: sid('UT', '1'), callSid: customer },
  { workerSid: sid('WK', '2'), participantSid: sid('UT', '2'), callSid: sid('CA', '2') },
  { workerSid: sid('WK', '2'), participantSid: sid('UT', '3'), callSid: sid('CA', '3') },
  { workerSid: sid('WK', '4'), callSid: null },
  null,
];

function setup(seen: Call | undefined, hasHost = true) {
  const reports: Report[] = [];
  const logged: string[] = [];
  const deps = {
    callOf: () => seen,
    participantsOf: () => participants,
    reports: hasHost ? { add: (report: Report) => void reports.push(report) } : undefined,
    stamp: { id: () => '6f1c1f0e-5a4b-4c3d-8e2f-1a2b3c4d5e6f', now: () => now },
    log: (message: string) => void logged.push(message),
  };
  const run = (payload: HoldPayload, kind: 'held' | 'unheld' = 'held') => afterHold(deps, kind)(payload);
  return { run, reports, logged };
}
const { conferenceSid: _conferenceSid, ...withoutConference } = call();

test.each(['held', 'unheld'] as const)('the customer is %s', (kind) => {
  const { run, reports } = setup(call());
  run({ sid: sid('WR') }, kind);
  const { taskSid, reservationSid, conferenceSid } = call();
  expect(reports).toEqual([
    { id: expect.any(String), at: now, kind, taskSid, reservationSid, conferenceSid },
  ]);
  expect(parseReport(JSON.parse(JSON.stringify(reports[0])), now)).toEqual(reports[0]);
});

test.each<[string, HoldPayload, string]>([
  ['the leg that the action names', { participantCallSid: customer }, customer],
  ['the newest leg of a colleague', { targetSid: sid('WK', '2') }, sid('CA', '3')],
  ['the leg of a participant', { targetSid: sid('UT', '2') }, sid('CA', '2')],
])('a report names %s', (_, payload, callSid) => {
  const { run, reports } = setup(call());
  run(payload);
  expect(reports).toMatchObject([{ kind: 'held', callSid }]);
  expect(parseReport(JSON.parse(JSON.stringify(reports[0])), now)).toEqual(reports[0]);
});

test.each<[string, Call | undefined, HoldPayload, number]>([
  ['a colleague without a leg, who would pass for the customer', call(), { targetSid: sid('WK', '4') }, 1],
  ['a participant that Flex does not show', call(), { targetSid: sid('UT', '9') }, 1],
  ['a call without a conference', withoutConference, {}, 1],
  ['a call that a supervisor watches', call({ own: false }), {}, 0],
  ['what is no call', undefined, {}, 0],
])('of %s nothing is reported', (_, seen, payload, lines) => {
  const { run, reports, logged } = setup(seen);
  run(payload);
  expect([reports.length, logged.length]).toEqual([0, lines]);
});

test('without a host nothing is reported', () => {
  const { run, logged } = setup(call(), false);
  run({});
  expect(logged).toEqual([]);
});
