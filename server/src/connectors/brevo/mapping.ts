import type { Interaction, Trigger } from '../interaction.ts';
import type { BrevoContact, BrevoEvent } from './brevo-api.ts';

/** What the rows of one customer add up to. */
export interface Totals {
  conversations: number;
  averageWaitSeconds?: number;
  averageTalkSeconds?: number;
  lastConversationAt: number;
  lastCsatScore?: number;
  preferredChannel: string;
}

/** Why a value of a mapping, or of an identifier, is or is not sent. For `connector explain`. */
export interface Reason {
  /** Of the file, such as `field_mapping.attributes.email`. */
  rule: string;
  target: string;
  /** Where the value came from, such as an attribute of the task, or undefined. */
  source: string;
  why: string;
}

/** How interactions become what Brevo is sent; made of a configuration that was read. */
export interface Mapping {
  /** Undefined where nothing may identify the customer, or the settings leave the interaction out: `why` says so. */
  customer(
    interaction: Interaction,
  ): { key: string; identifiers: BrevoContact['identifiers'] } | { why: string };
  /** @param before the values that Brevo has, for `overwrite: never`; undefined where they are not known */
  contact(interaction: Interaction, totals: Totals, before?: Readonly<Record<string, unknown>>): BrevoContact;
  /** The event of a trigger; undefined where no rule sends one. */
  event(interaction: Interaction, trigger: Trigger): Omit<BrevoEvent, 'identifiers'> | undefined;
  /** Whether `overwrite: never` needs the values that Brevo has. */
  needsBefore: boolean;
  explain(interaction: Interaction, totals: Totals): readonly Reason[];
}
