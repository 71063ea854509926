import { type AdjustablePace, createAdjustablePace } from './pace.ts';

/** What an operator allows of each of Twilio's APIs, in requests a second. */
export interface TwilioRates {
  /** Flex's configuration and plugins. */
  flex: number;
  conversations: number;
  /** Lists of the workspace's workers and queues. */
  taskRouter: number;
  /** Pages of TaskRouter's history. */
  taskEvents: number;
  /** Searches for tasks by their attributes. */
  searches: number;
}

/** A value out of bounds is taken as the nearest bound. */
export type TwilioLimits = {
  /** Limits that Twilio reports, in requests a second: they come before the settings. */
  readonly [API in keyof TwilioRates]: (aSecond: number) => void;
} & {
  /** Sets the rates of the APIs that it names. */
  set(rates: Partial<TwilioRates>): void;
};

/** The window is a little longer than a second, as the way to Twilio is not always equally long. */
const windowMs = 1_100;

/** Without a setting. What is shared with the desktops of agents is asked for slowly. */
const usual = {
  flex: { aSecond: 20, mostBound: 100, longestMs: 10_000 },
  conversations: { aSecond: 20, mostBound: 100, longestMs: 60_000 },
  taskRouter: { aSecond: 10, mostBound: 100, longestMs: 30_000 },
  taskEvents: { aSecond: 4, mostBound: 20, longestMs: 60_000 },
  // Of each workspace: https://www.twilio.com/en-us/changelog, taskrouter-endpoint-rate-limit-correction
  searches: { aSecond: 3, mostBound: 20, longestMs: 10_000 },
} satisfies Record<keyof TwilioRates, object>;

const apis = Object.keys(usual) as readonly (keyof TwilioRates)[];

/** One pace for each API, and how it follows settings and reports. */
export function createPaces(): { paces: Record<keyof TwilioRates, AdjustablePace>; limits: TwilioLimits } {
  const pace = (api: keyof TwilioRates) => {
    const { aSecond, ...how } = usual[api];
    return createAdjustablePace(aSecond, { windowMs, ...how });
  };
  const paces = {
    flex: pace('flex'),
    conversations: pace('conversations'),
    taskRouter: pace('taskRouter'),
    taskEvents: pace('taskEvents'),
    searches: pace('searches'),
  };
  return {
    paces,
    limits: {
      flex: paces.flex.adjust,
      conversations: paces.conversations.adjust,
      taskRouter: paces.taskRouter.adjust,
      taskEvents: paces.taskEvents.adjust,
      searches: paces.searches.adjust,
      set(rates) {
        for (const api of apis) {
          const aSecond = rates[api];
          if (aSecond !== undefined) paces[api].set(aSecond);
        }
      },
    },
  };
}
