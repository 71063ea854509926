import fc from 'fast-check';
import { dayIn } from '../data-source/employees.ts';
import { daysAfter, isDay, startOf } from './day.ts';

const iso = (timeZone: string, day: string) => new Date(startOf(timeZone, day)).toISOString();

test.each([
  ['UTC', '2026-11-28', '2026-11-28T00:00:00.000Z'],
  ['Europe/Madrid', '2026-11-28', '2026-11-27T23:00:00.000Z'],
  ['Pacific/Kiritimati', '2026-11-28', '2026-11-27T10:00:00.000Z'],
  ['Pacific/Pago_Pago', '2026-11-28', '2026-11-28T11:00:00.000Z'],
  ['Asia/Kathmandu', '2026-11-28', '2026-11-27T18:15:00.000Z'],
  // The clock skips midnight: the day begins at 01:00.
  ['America/Asuncion', '2023-10-01', '2023-10-01T04:00:00.000Z'],
])('a day begins at midnight of its time zone (%s %s)', (timeZone, day, at) => {
  expect(iso(timeZone, day)).toBe(at);
});

const zones = [
  'Europe/Madrid',
  'America/Sao_Paulo',
  'Australia/Lord_Howe',
  'America/New_York',
  'Asia/Kolkata',
];

test.each([
  ['Europe/Madrid', '2026-03-28', 24],
  ['Europe/Madrid', '2026-03-29', 23],
  ['Europe/Madrid', '2026-10-25', 25],
  ['Europe/Madrid', '2026-10-26', 24],
  // There the clock skipped midnight, and repeated the hour before it.
  ['America/Sao_Paulo', '2018-11-04', 23],
  ['America/Sao_Paulo', '2018-02-17', 25],
  ['America/Sao_Paulo', '2018-02-18', 24],
  ['Australia/Lord_Howe', '2026-10-04', 23.5],
  ['Australia/Lord_Howe', '2026-04-05', 24.5],
])('daylight saving makes a day shorter or longer (%s, %s: %d hours)', (timeZone, day, hours) => {
  const length = startOf(timeZone, daysAfter(day, 1)) - startOf(timeZone, day);
  expect(length).toBe(hours * 3_600_000);
});

test('each moment is of exactly one day, the day in which its employees are looked up', () => {
  const moment = fc.integer({ min: Date.UTC(2015, 0), max: Date.UTC(2030, 0) });
  fc.assert(
    fc.property(fc.constantFrom(...zones), moment, (timeZone, at) => {
      const day = dayIn(timeZone, new Date(at));
      expect(startOf(timeZone, day)).toBeLessThanOrEqual(at);
      expect(startOf(timeZone, daysAfter(day, 1))).toBeGreaterThan(at);
    }),
  );
});

test('days of the calendar alone', () => {
  expect(['2026-11-28', '2024-02-29'].map(isDay)).toEqual([true, true]);
  expect(['2026-02-30', '2026-13-01', '2026-1-1', 'today', '2026-11-28T00:00:00Z', ''].map(isDay)).toEqual(
    Array(6).fill(false),
  );
  expect(daysAfter('2026-12-31', 1)).toBe('2027-01-01');
});
