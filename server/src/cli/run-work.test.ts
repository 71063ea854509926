import type { RunView } from '../runs/runs.ts';
import { endText, follow, jsonOf, progressLine } from './run-work.ts';

const startedAt = new Date('2026-11-01T00:00:00Z');
const view = (more: Partial<RunView> = {}): RunView => ({
  name: 'reconcile',
  options: {},
  counts: { done: 40, seen: 30, absent_16101: 2 },
  startedAt,
  updatedAt: startedAt,
  running: true,
  ...more,
});
const now = startedAt.getTime() + 4_000;
const screen = () => {
  const said: string[] = [];
  return { said, isTTY: false, write: (text: string) => void said.push(text) };
};
const never = new AbortController().signal;

test('a line says how much is done, how fast, and what was found', () => {
  expect(progressLine(view(), now)).toBe('reconcile 40, 10/s: seen 30, absent 16101 2');
  expect(progressLine(view({ total: 80 }), now)).toBe(
    'reconcile [############------------] 40 of 80, 10/s: seen 30, absent 16101 2',
  );
});

test('the end is counts for a person, or a value for a program', () => {
  const ended = view({ running: false, finishedAt: startedAt });
  expect(endText(ended)).toBe('RESULT        COUNT\nseen             30\nabsent 16101      2');
  expect(endText(view({ counts: { done: 0 } }))).toBe('No matching recordings.');
  expect(JSON.parse(JSON.stringify(jsonOf(ended)))).toEqual({
    name: 'reconcile',
    counts: { seen: 30, absent_16101: 2 },
    startedAt: startedAt.toISOString(),
    finishedAt: startedAt.toISOString(),
    finished: true,
  });
});

test('what became of which is named, without what could move a cursor, and how many more there are', () => {
  const notes = { 'calls/\u001b[2Ja.wav': 'refused (media_empty): the media is empty' };
  const ended = view({ running: false, finishedAt: startedAt, notes, unnamed: 7 });
  expect(endText(ended).split('\n').slice(0, 4)).toEqual([
    'NAME             RESULT',
    'calls/?[2Ja.wav  refused (media_empty): the media is empty',
    '',
    '7 more are named in the log of the host.',
  ]);
  expect(JSON.parse(JSON.stringify(jsonOf(ended)))).toMatchObject({ notes, unnamed: 7 });
});

test('a dry run says that it was one', () => {
  const ended = view({ running: false, finishedAt: startedAt, options: { dryRun: true } });
  expect(endText(ended)).toMatch(/\nDry run: nothing changed\.$/);
  expect(jsonOf(ended)).toMatchObject({ dryRun: true });
  expect(jsonOf(view())).not.toHaveProperty('dryRun');
});

test('it is watched to its end', async () => {
  const looks = [view(), view(), view({ running: false, finishedAt: startedAt })];
  const begun: unknown[] = [];
  const api = {
    begin: async (...all: unknown[]) => void begun.push(all),
    look: async () => looks.shift() ?? view(),
  };
  const ended = await follow(api, 'reconcile', { since: 'x' }, screen(), never, { anew: true });
  expect([begun, ended.finishedAt]).toEqual([[['reconcile', { since: 'x' }, { anew: true }]], startedAt]);
});

test('a run that goes on with another one says so, and since when its counts run', async () => {
  const resumedFrom = { startedAt, stoppedAt: new Date('2026-11-01T00:30:00Z') };
  const ended = view({ running: false, finishedAt: startedAt, resumedFrom });
  const api = { begin: async () => undefined, look: async () => ended };
  const watched = screen();
  await follow(api, 'reconcile', {}, watched, never);
  expect(watched.said).toEqual([
    'Continues the run of 2026-11-01T00:00:00.000Z from where it stopped (at 2026-11-01T00:30:00.000Z).\n',
  ]);
  expect(endText(ended)).toMatch(/\nCounted since 2026-11-01T00:00:00\.000Z, .*--anew/);
  expect(JSON.parse(JSON.stringify(jsonOf(ended)))).toMatchObject({
    resumedFrom: { startedAt: '2026-11-01T00:00:00.000Z', stoppedAt: '2026-11-01T00:30:00.000Z' },
  });
  expect(progressLine(ended, now)).not.toContain('/s');
});

test('what it failed of is what the command fails of', async () => {
  const api = {
    begin: async () => undefined,
    look: async () => view({ running: false, failure: 'twilio_unavailable: Twilio is away: no answer' }),
  };
  await expect(follow(api, 'reconcile', {}, screen(), never)).rejects.toMatchObject({
    code: 'twilio_unavailable',
    message: 'Twilio is away: no answer',
  });
});
