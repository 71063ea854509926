import type { RecordingSid } from '@flex-custody/core';
import { alarmTable } from '../alarms/alarm-table.ts';
import { alarmsText, listAlarms } from './alarms.ts';

const RE = `RE${'0a'.repeat(16)}` as RecordingSid;
const at = new Date('2026-01-02T03:04:05Z');
const alarm = { id: 7, code: 'link_refused', detail: 'identity', times: 2, firstAt: at, lastAt: at };

test('under a header one line for each alarm, and below it the next step', () => {
  expect(alarmsText([{ ...alarm, recordingSid: RE }]).split('\n')).toEqual([
    'ID  LAST RAISED               TIMES  CODE          RECORDING                           DETAIL',
    ` 7  2026-01-02T03:04:05.000Z      2  link_refused  ${RE}  identity`,
    `  → ${alarmTable.link_refused.next}`,
  ]);
  expect(alarmsText([alarm])).toMatch(/link_refused {2}- +identity/);
});

test('what a host of another release has raised is listed all the same', () => {
  expect(alarmsText([{ ...alarm, code: 'of_another_release' }]).split('\n')).toHaveLength(2);
});

test('an empty list says so', () => {
  expect(alarmsText([])).toBe('No open alarms.');
});

describe('the exit status', () => {
  let printed: string[];
  beforeEach(() => {
    printed = [];
    jest.spyOn(console, 'log').mockImplementation((text: string) => void printed.push(text));
  });
  afterEach(() => jest.restoreAllMocks());

  /** An operator API with these alarms open, newest first. */
  const apiWith = (...ids: number[]) => ({
    alarms: async ({ after, limit = 100 }: { after?: number; limit?: number } = {}) =>
      ids
        .filter((id) => after === undefined || id < after)
        .slice(0, limit)
        .map((id) => ({ ...alarm, id })),
    alarmsBehind: async () => ({ n: 0, isAll: true }),
  });

  test.each([false, true])('is 1 while an alarm is open, and 0 when none is (--json: %s)', async (json) => {
    expect(await listAlarms(apiWith(7), { limit: 50, json })).toBe(1);
    expect(await listAlarms(apiWith(), { limit: 50, json })).toBe(0);
    if (!json) expect(printed).toEqual([alarmsText([alarm]), 'No open alarms.']);
    else
      expect(printed.map((text) => JSON.parse(text))).toEqual([
        // What docs/alarms.md says of the code is in it.
        [JSON.parse(JSON.stringify({ ...alarm, ...alarmTable.link_refused }))],
        [],
      ]);
  });

  test('is 1 behind the last page too, while the pages before it have one', async () => {
    expect(await listAlarms(apiWith(7), { limit: 50, after: 7 })).toBe(1);
    expect(await listAlarms(apiWith(), { limit: 50, after: 7 })).toBe(0);
    expect(printed).toEqual(['No open alarms after 7.', 'No open alarms after 7.']);
  });
});
