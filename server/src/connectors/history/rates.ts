import type { TwilioRates } from '@flex-custody/twilio';

/** `limits` of a connector's file, in requests a second. */
export interface LimitSettings {
  readonly flex: number;
  readonly conversations: number;
  readonly taskrouter: number;
  readonly events: number;
  readonly searches: number;
}

export const ratesOf = ({
  flex,
  conversations,
  taskrouter,
  events,
  searches,
}: LimitSettings): TwilioRates => ({
  ...{ flex, conversations, searches },
  taskRouter: taskrouter,
  taskEvents: events,
});
