import type { StatusTable } from '../events/status-part.ts';
import { eventsJson, eventsText } from './recorder-events.ts';

const at = new Date('2026-01-02T03:04:05Z');
const tables: StatusTable[] = [
  {
    ...{
      name: 'eventsSetAside',
      title: 'Set aside',
      columns: { reason: 'REASON', type: 'TYPE', lastAt: 'LAST' },
    },
    rows: [
      { reason: 'not_json', type: null, lastAt: at },
      { reason: 'unknown_type', type: 'com.twilio.x', lastAt: at },
    ],
  },
  { name: 'eventTypes', title: 'Types', columns: { type: 'TYPE' }, rows: [] },
];

test('each table has its title and headers, and says where it is empty', () => {
  expect(eventsText(tables).split('\n')).toEqual([
    'Set aside',
    'REASON        TYPE          LAST',
    'not_json      -             2026-01-02T03:04:05.000Z',
    'unknown_type  com.twilio.x  2026-01-02T03:04:05.000Z',
    '',
    'Types',
    'None.',
  ]);
});

test('in JSON the rows of each table have its name', () => {
  expect(eventsJson(tables)).toEqual({ eventsSetAside: tables[0]?.rows, eventTypes: [] });
});
