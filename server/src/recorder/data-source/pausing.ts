import type { PauseSettings } from '@flex-custody/core';
import type { Fault } from './fault.ts';
import type { DataSource } from './fields.ts';

/** The settings of pauses; asked for each time they are used. */
export type Pausing = () => Promise<PauseSettings>;

/** The data source's value wins over the environment's. */
export function pauseWith(own: PauseSettings, settings: DataSource | undefined): PauseSettings {
  const value = settings?.advanced.TwilioEnablePauseResume;
  return value === undefined ? own : { ...own, enabled: value === 'True' };
}

/**
 * While the database does not answer, the last known settings apply; those of the environment before there were any.
 * @param own of the environment
 */
export function pausing(own: PauseSettings, settings: () => Promise<DataSource | undefined>): Pausing {
  let last = own;
  return async () => {
    try {
      last = pauseWith(own, await settings());
    } catch {
      // The next reader of the settings reports it: a pause must work without them.
    }
    return last;
  };
}

/** @param explicit the value of the environment's TwilioEnablePauseResume; undefined: it is not set */
export function pauseFault(settings: DataSource, explicit: boolean | undefined): Fault | undefined {
  const value = settings.advanced.TwilioEnablePauseResume;
  if (value === undefined || explicit === undefined || (value === 'True') === explicit) return undefined;
  return {
    key: 'advanced.TwilioEnablePauseResume',
    message: `is ${value}, and the host's environment says ${explicit ? 'True' : 'False'}: make both equal, or remove the variable TwilioEnablePauseResume`,
  };
}
