import type { Interaction } from '../interaction.ts';
import { cleaned, rounded } from './field-values.ts';

interface Property {
  type: 'text' | 'number';
  /** The same text as in docs/brevo.md. */
  means: string;
  /** Undefined or empty: not sent. */
  of(interaction: Interaction): string | number | undefined;
}

const text = (means: string, of: Property['of']): Property => ({ type: 'text', means, of });
const number = (means: string, of: (interaction: Interaction) => number | undefined): Property => ({
  type: 'number',
  means,
  of: (interaction) => rounded(of(interaction)),
});

/** The phase is an attribute that anyone may write: only a short name without digits of an address is one. */
const phase = (value: string | undefined) =>
  value !== undefined && /^\p{L}[\p{L}\d _-]{0,31}$/u.test(value) && !/\d{4}/.test(value) ? value : undefined;

/** The properties of an event have at most 50 KB. */
const mostRecordings = 1_000;

/** Of every event of every channel, in the order of docs/brevo.md. A batch takes texts and numbers alone. */
export const properties: Readonly<Record<string, Property>> = {
  channel: text('`voice`, `sms`, `whatsapp` or `webchat`.', ({ channel }) => channel),
  direction: text('`inbound` or `outbound`.', ({ direction }) => direction),
  queue_name: text('Queue of the last agent, or of the last offer.', ({ queueName }) => queueName),
  agent: text("Last agent: the employee's id, or the worker's SID.", ({ agent }) => agent),
  wait_seconds: number('Seconds that the customer waited for an agent.', ({ waitSeconds }) => waitSeconds),
  talk_seconds: number('Seconds with an agent, without holds.', ({ talkSeconds }) => talkSeconds),
  hold_seconds: number('Seconds on hold.', ({ holdSeconds }) => holdSeconds),
  wrap_up_seconds: number("Seconds of the agents' wrap-up.", ({ wrapUpSeconds }) => wrapUpSeconds),
  messages: number(
    'Number of messages of a conversation, once Twilio has counted them.',
    ({ messages }) => messages,
  ),
  outcome: text(
    '`resolved`, `abandoned`, `diverted`, `unanswered`, `ended`, or `open` while it lasts.',
    ({ outcome }) => outcome,
  ),
  abandoned_phase: text(
    'Where the customer gave up, such as `IVR`, `Queue` or `Ringing`.',
    ({ abandonedPhase }) => phase(abandonedPhase),
  ),
  csat_score: number('Score of the survey.', ({ csatScore }) => csatScore),
  recordings: text('SIDs of its recordings, with commas between.', ({ recordings }) =>
    recordings.slice(0, mostRecordings).join(','),
  ),
  custody_id: text('UUID of the interaction, the same in each of its events.', ({ custodyId }) => custodyId),
};

/** @param withScore whether the score of a survey may be sent */
export function propertiesOf(interaction: Interaction, withScore: boolean): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, { of }]) => {
      const value = name === 'csat_score' && !withScore ? undefined : of(interaction);
      const sent = typeof value === 'string' ? cleaned(value) : value;
      return sent === undefined || sent === '' ? [] : [[name, sent]];
    }),
  );
}
