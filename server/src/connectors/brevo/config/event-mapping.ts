import { isObject } from '@flex-custody/core';
import { nearest } from '../../../recorder/data-source/nearest.ts';
import { channels, outcomes, type Trigger, triggers } from '../../interaction.ts';
import { type Fault, nameOf } from './fault.ts';

/** What a condition compares; undefined: any text, in any case. */
export const conditionValues = {
  reason: undefined,
  channel: channels,
  kind: ['voice', 'text', 'work'],
  outcome: outcomes,
  direction: ['inbound', 'outbound', 'internal'],
} as const satisfies Readonly<Record<string, readonly string[] | undefined>>;
export type ConditionKey = keyof typeof conditionValues;
const conditionKeys = Object.keys(conditionValues) as readonly ConditionKey[];

export interface Condition {
  on: ConditionKey;
  values: readonly string[];
  /** None of the values. */
  not: boolean;
}

/** Of the rules of a trigger the first whose conditions all hold names the event. */
export interface EventRule {
  /** Its place in the file, such as `event_mapping.task.completed`. */
  rule: string;
  trigger: Trigger;
  name: string;
  when: readonly Condition[];
}

/** What the file has by default, in its own form. */
export const defaultEventMapping: Readonly<Record<string, unknown>> = {
  'task.created': 'SUPPORT_REQUESTED',
  'task.completed': 'SUPPORT_RESOLVED',
  'task.canceled': 'SUPPORT_ABANDONED',
  'conversation.ended': 'CONVERSATION_ENDED',
  'survey.completed': 'CSAT_SUBMITTED',
};

/** TaskRouter also cancels surveys and declined invites, and completes tasks that no agent took. */
export const usualOutcome: Partial<Record<Trigger, string>> = {
  'task.completed': 'resolved',
  'task.canceled': 'abandoned',
};

/** Source: https://developers.brevo.com/reference/create-event */
export const eventNameShape = /^[A-Za-z0-9_-]{1,255}$/;

/** @param path of the mapping in the file */
export function readEventMapping(given: unknown, path: readonly string[], faults: Fault[]): EventRule[] {
  if (!isObject(given)) {
    faults.push({
      path,
      message:
        'must be triggers with the names of events, such as `task.completed: SUPPORT_RESOLVED`: leave it out for the default',
    });
    return [];
  }
  const rules: EventRule[] = [];
  for (const [trigger, named] of Object.entries(given)) {
    const at = [...path, trigger];
    if (!isTrigger(trigger)) {
      const meant = nearest(trigger, triggers);
      faults.push({
        path: at,
        message: `is no trigger: ${meant ? `write ${meant}` : `write one of ${triggers.join(', ')}`}`,
      });
    } else if (named != null && named !== false)
      for (const one of Array.isArray(named) ? named : [named]) {
        const rule = readRule(trigger, one, at, faults);
        if (rule) rules.push(rule);
      }
  }
  refuseShared(rules, path, faults);
  return rules;
}

const isTrigger = (name: string): name is Trigger => triggers.some((one) => one === name);

function readRule(
  trigger: Trigger,
  given: unknown,
  path: readonly string[],
  faults: Fault[],
): EventRule | undefined {
  const before = faults.length;
  const settings: Readonly<Record<string, unknown>> = isObject(given) ? given : { name: given };
  for (const key of Object.keys(settings).filter((one) => !['name', 'when'].includes(one)))
    faults.push({ path: [...path, key], message: 'is no option of an event: write name or when' });
  const { name } = settings;
  if (typeof name !== 'string' || !eventNameShape.test(name))
    faults.push({
      path,
      message:
        'must name an event: 1 to 255 letters without accents, digits, _ and -, such as SUPPORT_RESOLVED',
    });
  const when = readConditions(settings['when'] ?? {}, [...path, 'when'], faults);
  if (faults.length > before) return undefined;
  const outcome = usualOutcome[trigger];
  const isOpen = outcome !== undefined && when.every(({ on }) => on !== 'outcome');
  return {
    rule: nameOf(path),
    trigger,
    name: String(name),
    when: isOpen ? [...when, { on: 'outcome', values: [outcome], not: false }] : when,
  };
}

function readConditions(given: unknown, path: readonly string[], faults: Fault[]): Condition[] {
  if (!isObject(given)) {
    faults.push({
      path,
      message: `must be conditions on ${conditionKeys.join(', ')}, such as {channel: voice}`,
    });
    return [];
  }
  const read: Condition[] = [];
  for (const [key, value] of Object.entries(given)) {
    const at = [...path, key];
    if (!isConditionKey(key)) {
      const meant = nearest(key, conditionKeys);
      faults.push({ path: at, message: `is no condition: write ${meant ?? conditionKeys.join(', ')}` });
      continue;
    }
    const not = isObject(value) && Object.keys(value).join() === 'not';
    const wanted = not ? value['not'] : value;
    const values = (Array.isArray(wanted) ? wanted : [wanted]).map((one) =>
      typeof one === 'string' ? one : '',
    );
    const known: readonly string[] | undefined = conditionValues[key];
    const isGood = (one: string) => (known ? known.includes(one) : one.trim() !== '' && one.length <= 255);
    if (values.length === 0 || !values.every(isGood))
      faults.push({
        path: at,
        message: `must be ${known ? `of ${known.join(', ')}` : 'texts of 1 to 255 characters'}, one, a list, or {not: …}`,
      });
    else read.push({ on: key, values, not });
  }
  return read;
}

const isConditionKey = (key: string): key is ConditionKey => Object.hasOwn(conditionValues, key);

/** An event that may have been sent is searched by its name and its interaction: two triggers with one name would be taken for one. */
function refuseShared(rules: readonly EventRule[], path: readonly string[], faults: Fault[]): void {
  const owners = new Map<string, Trigger>();
  for (const { name, trigger } of rules) {
    const owner = owners.get(name) ?? trigger;
    owners.set(name, owner);
    if (owner !== trigger)
      faults.push({
        path: [...path, trigger],
        message: `has the event of ${owner}, and one event belongs to one trigger: give it another name`,
      });
  }
}
