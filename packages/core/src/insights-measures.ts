import { type TaskAttributes, taskAttributesLimit } from './task-attributes.ts';

/** What is written into which of a conversation's ten measures. */
export interface InsightsMeasure {
  of: 'agent' | 'customer' | 'crosstalk' | 'silence' | 'monologue';
  /** 1 to 10. */
  measure: number;
}

export const measuredNames: readonly InsightsMeasure['of'][] = [
  'agent',
  'customer',
  'crosstalk',
  'silence',
  'monologue',
];

/**
 * Attributes with `conversations.conversation_measure_N` set; everything else stays as it was.
 * @returns the JSON text, or undefined where it would overrun Twilio's limit
 */
export function withMeasures(
  attributes: TaskAttributes,
  values: Readonly<Record<number, number>>,
): string | undefined {
  const before = attributes['conversations'];
  const conversations = typeof before === 'object' && before !== null && !Array.isArray(before) ? before : {};
  const measures = Object.fromEntries(
    Object.entries(values).map(([measure, value]) => [`conversation_measure_${measure}`, value]),
  );
  const text = JSON.stringify({ ...attributes, conversations: { ...conversations, ...measures } });
  return text.length <= taskAttributesLimit ? text : undefined;
}
