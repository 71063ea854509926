import { isObject } from './json-fields.ts';
/** What a rule, or the default, says of a call. */
export const recordingVerdicts = ['record', 'never', 'on-demand'] as const;
export type RecordingVerdict = (typeof recordingVerdicts)[number];
export const callDirections = ['inbound', 'outbound', 'internal'] as const;
export type CallDirection = (typeof callDirections)[number];

/** One rule: every condition that it states must hold; one that it does not state always holds. */
export interface RecordingRule {
  /** Name or SID of the queue. */
  queue?: string;
  /** Name, identity or SID of the worker. */
  worker?: string;
  direction?: CallDirection;
  /** A task attribute, by a path with dots; values are compared as text. */
  attribute?: { path: string; equals: string };
  verdict: RecordingVerdict;
}

export interface CallFacts {
  queues: readonly string[];
  workers: readonly string[];
  direction: CallDirection;
  attributes: Readonly<Record<string, unknown>>;
}

/** The verdict of the first rule that fits, else the default. */
export function recordingVerdict(
  rules: readonly RecordingRule[],
  otherwise: RecordingVerdict,
  facts: CallFacts,
): RecordingVerdict {
  return rules.find((rule) => fits(rule, facts))?.verdict ?? otherwise;
}

function fits(rule: RecordingRule, facts: CallFacts): boolean {
  if (rule.queue !== undefined && !facts.queues.includes(rule.queue)) return false;
  if (rule.worker !== undefined && !facts.workers.includes(rule.worker)) return false;
  if (rule.direction !== undefined && rule.direction !== facts.direction) return false;
  return (
    rule.attribute === undefined || valueAt(facts.attributes, rule.attribute.path) === rule.attribute.equals
  );
}

function valueAt(attributes: Readonly<Record<string, unknown>>, path: string): string | undefined {
  let value: unknown = attributes;
  for (const key of path.split('.')) {
    value = isObject(value) ? value[key] : undefined;
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}
