import { CustodyError } from '@flex-custody/core';
import type { FlexTokens } from '@flex-custody/twilio';
import type { Metrics } from '../metrics.ts';

/** The same validation, its outcomes counted. */
export function counted(flexTokens: FlexTokens, metrics: Pick<Metrics, 'tokenValidated'>): FlexTokens {
  return {
    async validate(token, beforeAsking) {
      try {
        const viewer = await flexTokens.validate(token, beforeAsking);
        metrics.tokenValidated('accepted');
        return viewer;
      } catch (error) {
        const refused = error instanceof CustodyError && error.status < 500;
        metrics.tokenValidated(refused ? 'refused' : 'unavailable');
        throw error;
      }
    },
  };
}
