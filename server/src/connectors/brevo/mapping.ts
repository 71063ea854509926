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

/** Why a value of a mapping, or of an identifier, is or is not sent. For `connector explain`. It quotes no value. */
export interface Reason {
  /** Of the file, such as `field_mapping.attributes.email`. */
  rule: string;
  /** Attribute, identifier, list or event; empty for a rule that concerns the whole interaction. */
  target: string;
  /** Where the value came from, such as an attribute of the task, or the trigger of an event. */
  source: string;
  why: string;
}

/** An attribute of Brevo that the mapping writes; without a type it has that of its value. */
export interface MappedAttribute {
  name: string;
  type?: 'text' | 'date' | 'float' | 'boolean';
}

/** How interactions become what Brevo is sent; made of a configuration that was read. */
export interface Mapping {
  /** `why`: nothing identifies the customer, or the settings leave the interaction out. */
  customer(
    interaction: Interaction,
  ): { key: string; identifiers: BrevoContact['identifiers'] } | { why: string };
  /**
   * @param before the values that Brevo has, for `overwrite: never`: empty where Brevo has no such contact; undefined where they
   * are not known, and then no such attribute is in the contact
   */
  contact(interaction: Interaction, totals: Totals, before?: Readonly<Record<string, unknown>>): BrevoContact;
  /** The event of a trigger; undefined where no rule sends one, or the settings leave the interaction out. */
  event(interaction: Interaction, trigger: Trigger): Omit<BrevoEvent, 'identifiers'> | undefined;
  /** Whether `overwrite: never` needs the values that Brevo has. */
  needsBefore: boolean;
  /** Each once: what Brevo must have. SMS and WHATSAPP are not among them. */
  attributes: readonly MappedAttribute[];
  explain(interaction: Interaction, totals: Totals): readonly Reason[];
}
