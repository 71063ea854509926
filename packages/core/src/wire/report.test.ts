import { CustodyError } from '../errors.ts';
import { parseReport } from './report.ts';

const sid = (prefix: string) => `${prefix}${'a'.repeat(32)}`;
const common = {
  id: '0f8fad5b-d9cb-469f-a165-70867728950e',
  at: 1_763_632_804_000,
  taskSid: sid('WT'),
  reservationSid: sid('WR'),
};
const now = common.at + 1_000;
const paused = { ...common, kind: 'paused', conferenceSid: sid('CF'), recordings: [sid('RE')] };

test.each([
  [paused],
  [{ ...common, kind: 'resumed', conferenceSid: sid('CF') }],
  [{ ...common, kind: 'held', conferenceSid: sid('CF'), callSid: sid('CA') }],
  [{ ...common, kind: 'unheld', conferenceSid: sid('CF') }],
  [{ ...common, kind: 'not-recorded', reason: 'accept-failed' }],
  [{ ...common, kind: 'double-recording' }],
  [{ ...common, kind: 'joined' }],
  [{ ...common, kind: 'joined', conferenceSid: sid('CF'), callSid: sid('CA') }],
  [{ ...common, kind: 'consent', purpose: 'voice-enrolment', decision: 'given', callSid: sid('CA') }],
  [
    {
      ...common,
      kind: 'consent',
      purpose: 'voice-enrolment',
      decision: 'refused',
      conferenceSid: sid('CF'),
    },
  ],
])('$kind is read as it was written', (report) => {
  expect(parseReport(report, now)).toEqual(report);
});

test('what a kind does not have is dropped', () => {
  const more = { from: '+14155550142', token: 'x', workerSid: sid('WK') };
  expect(parseReport({ ...common, kind: 'double-recording', ...more }, now)).toEqual({
    ...common,
    kind: 'double-recording',
  });
  expect(parseReport({ ...paused, ...more }, now)).toEqual(paused);
});

test.each([
  ['no object', null, ['id', 'at', 'taskSid', 'kind']],
  ['an unknown kind', { ...common, kind: 'deleted' }, ['kind']],
  ['an id that is none', { ...common, kind: 'double-recording', id: 'x' }, ['id']],
  ['a time before the calendar', { ...common, kind: 'double-recording', at: 1 }, ['at']],
  ['a time that no date has', { ...common, kind: 'double-recording', at: 9e15 }, ['at']],
  ['a time beyond whole numbers', { ...common, kind: 'double-recording', at: 2 ** 53 }, ['at']],
  ['a time of last month', { ...common, kind: 'double-recording', at: now - 8 * 86_400_000 }, ['at']],
  ['a time an hour ahead', { ...common, kind: 'double-recording', at: now + 3_600_000 }, ['at']],
  ['a time as text', { ...common, kind: 'double-recording', at: '1' }, ['at']],
  [
    'a malformed optional SID',
    { ...common, kind: 'double-recording', reservationSid: 'WR1' },
    ['reservationSid'],
  ],
  ['a recording that is none', { ...paused, recordings: ['RE1'] }, ['recordings']],
  ['too many recordings', { ...paused, recordings: Array(41).fill(sid('RE')) }, ['recordings']],
  ['no conference', { ...paused, conferenceSid: undefined }, ['conferenceSid']],
  ['a hold without its conference', { ...common, kind: 'held' }, ['conferenceSid']],
  [
    'a leg that is none',
    { ...common, kind: 'unheld', conferenceSid: sid('CF'), callSid: 'CA1' },
    ['callSid'],
  ],
  ['an unknown reason', { ...common, kind: 'not-recorded', reason: 'lazy' }, ['reason']],
  ['consent without its decision', { ...common, kind: 'consent', purpose: 'voice-enrolment' }, ['decision']],
])('%s is refused by name, without its value', (_, body, fields) => {
  const error = (() => {
    try {
      parseReport(body, now);
      return undefined;
    } catch (caught) {
      return caught;
    }
  })();
  expect(error).toBeInstanceOf(CustodyError);
  expect(error).toMatchObject({ code: 'report_invalid', status: 400 });
  for (const field of fields) expect((error as CustodyError).message).toContain(field);
});
