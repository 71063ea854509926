import { CustodyError } from './errors.ts';
import { parseReport } from './reports.ts';

const sid = (prefix: string) => `${prefix}${'a'.repeat(32)}`;
const common = {
  id: '0f8fad5b-d9cb-469f-a165-70867728950e',
  at: 1_763_632_804_000,
  taskSid: sid('WT'),
  reservationSid: sid('WR'),
};
const paused = { ...common, kind: 'paused', conferenceSid: sid('CF'), recordings: [sid('RE')] };

test.each([
  [paused],
  [{ ...paused, kind: 'resumed', workerSid: sid('WK') }],
  [{ ...common, kind: 'joined', conferenceSid: sid('CF'), callSid: sid('CA') }],
  [{ ...common, kind: 'joined' }],
  [{ ...common, kind: 'not-recorded', reason: 'accept-failed' }],
  [{ ...common, kind: 'double-recording' }],
  [{ ...common, kind: 'consent', purpose: 'voice-enrolment', decision: 'given', callSid: sid('CA') }],
])('$kind is read as it was written', (report) => {
  expect(parseReport(report)).toEqual(report);
});

test('what a kind does not have is dropped', () => {
  expect(parseReport({ ...common, kind: 'double-recording', from: '+14155550142', token: 'x' })).toEqual({
    ...common,
    kind: 'double-recording',
  });
});

test.each([
  ['no object', null, ['id', 'at', 'taskSid', 'kind']],
  ['an unknown kind', { ...common, kind: 'deleted' }, ['kind']],
  ['an id that is none', { ...common, kind: 'double-recording', id: 'x' }, ['id']],
  ['a time as text', { ...common, kind: 'double-recording', at: '1' }, ['at']],
  [
    'a malformed optional SID',
    { ...common, kind: 'double-recording', reservationSid: 'WR1' },
    ['reservationSid'],
  ],
  ['a recording that is none', { ...paused, recordings: ['RE1'] }, ['recordings']],
  ['too many recordings', { ...paused, recordings: Array(41).fill(sid('RE')) }, ['recordings']],
  ['no conference', { ...paused, conferenceSid: undefined }, ['conferenceSid']],
  ['an unknown reason', { ...common, kind: 'not-recorded', reason: 'lazy' }, ['reason']],
  ['consent without its decision', { ...common, kind: 'consent', purpose: 'voice-enrolment' }, ['decision']],
])('%s is refused by name, without its value', (_, body, fields) => {
  const error = (() => {
    try {
      parseReport(body);
      return undefined;
    } catch (caught) {
      return caught;
    }
  })();
  expect(error).toBeInstanceOf(CustodyError);
  expect(error).toMatchObject({ code: 'report_invalid', status: 400 });
  for (const field of fields) expect((error as CustodyError).message).toContain(field);
});
