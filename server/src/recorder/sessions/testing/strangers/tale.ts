import type { Wire } from './wire.ts';

/** A story as Twilio would send it, and the contacts that a WFO product must make of it. */
export interface Tale {
  name: string;
  start?: string;
  write(wire: Wire): void;
  /** The lines of `said`, written before the first run. Why, where that surprises, is said beside it. */
  contacts: string[][];
  /** Only events of voice say when the customer answered, or that a leg was on hold. */
  needsVoice?: true;
}
