import type { LimitClass } from '../turns.ts';

/** Of Brevo's plans, as https://developers.brevo.com/docs/api-limits names them. */
export const plans = ['general', 'advanced', 'extended'] as const;
export type Plan = (typeof plans)[number];

/**
 * - `events`: POST /events
 * - `contacts`: all of /contacts
 * - `batch`: POST /events/batch, whose limit Brevo does not publish
 * - `other`: all other endpoints
 */
export type BrevoClass = 'events' | 'contacts' | 'batch' | 'other';

const secondMs = 1_000;
const hourMs = 3_600_000;
const figures: Readonly<Record<Plan, { aSecond: number; anHour: number }>> = {
  general: { aSecond: 10, anHour: 100 },
  advanced: { aSecond: 20, anHour: 200 },
  extended: { aSecond: 60, anHour: 600 },
};

/** @param times for tests: a limit so many times as high */
export function brevoLimits(plan: Plan = 'general', times = 1): Readonly<Record<BrevoClass, LimitClass>> {
  const { aSecond, anHour } = figures[plan];
  const perSecond = { limit: aSecond * times, windowMs: secondMs };
  return {
    events: { name: 'brevo events', ...perSecond },
    contacts: { name: 'brevo contacts', ...perSecond },
    batch: { name: 'brevo batch', limit: times, windowMs: secondMs, most: aSecond * times },
    other: { name: 'brevo other', limit: anHour * times, windowMs: hourMs },
  };
}
