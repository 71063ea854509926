import { dayIn } from '../data-source/employees.ts';

const secondMs = 1_000;
const dayMs = 24 * 60 * 60 * secondMs;
/** No time zone is further from UTC (ms). */
const furthestMs = 15 * 60 * 60 * secondMs;

/** Whether a text such as 2026-11-28 names a day of the calendar. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const at = new Date(text);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

/** The day after it, or some days later or earlier. */
export const daysAfter = (day: string, count: number): string =>
  new Date(Date.parse(day) + count * dayMs).toISOString().slice(0, 10);

/**
 * The first moment of a day in a time zone. Where the clock changes at midnight the day begins later than 00:00.
 * @returns epoch ms
 */
export function startOf(timeZone: string, day: string): number {
  const midnight = Date.parse(day);
  let before = midnight - furthestMs;
  let within = midnight + furthestMs;
  // Clocks change at whole seconds.
  while (within - before > secondMs) {
    const middle = before + Math.floor((within - before) / 2 / secondMs) * secondMs;
    if (dayIn(timeZone, new Date(middle)) < day) before = middle;
    else within = middle;
  }
  return within;
}
