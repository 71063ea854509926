import type { JsonEdit } from './json-edit.ts';

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

/** The edits that set `conversations.conversation_measure_N` in a task's attributes. */
export function withMeasures(values: Readonly<Record<number, number>>): JsonEdit[] {
  return Object.entries(values).map(([measure, value]) => ({
    path: ['conversations', `conversation_measure_${measure}`],
    value,
  }));
}
