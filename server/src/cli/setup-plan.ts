import {
  CustodyError,
  type FlexSettings,
  isObject,
  type JsonEdit,
  readFlexSettings,
  type SettingProblem,
} from '@flex-custody/core';
import { editJson, type FlexConfiguration, type FlexConfigurationChange } from '@flex-custody/twilio';

/** A setting below `flex_custody` by its path with dots; null takes it away. */
export type Wish = [path: string, value: unknown];

export interface Difference {
  path: string;
  /** Undefined: not there. */
  before: unknown;
  after: unknown;
}

export interface Plan {
  /** What is to be written; empty where all is as wished. */
  change: FlexConfigurationChange;
  differences: Difference[];
  /** Of the settings as they would be; nothing is written while there is one. */
  problems: SettingProblem[];
  /** What somebody should know, whether or not anything changes. */
  notes: string[];
}

const key = 'flex_custody';
type Json = Record<string, unknown>;

/**
 * What must change in a Flex configuration so that our plugins are set as wished; everybody else's settings, and those of
 * ours that nobody named, stay.
 * @param defaults for what is neither set nor wished
 * @throws CustodyError `settings_unreadable` where a wish would have to replace what is no object
 */
export function planSetup(
  current: FlexConfiguration,
  wishes: readonly Wish[],
  defaults: Readonly<Record<string, unknown>> = {},
): Plan {
  const before = current.uiAttributes[key];
  const set = isObject(before) ? before : {};
  const unset = Object.entries(defaults).filter(([name]) => set[name] === undefined);
  const text = [...unset, ...wishes].reduce(
    (so, [path, value]) => editJson(so, [editOf(oursIn(so), path.split('.'), value)]),
    current.uiAttributesText,
  );
  const ours = oursIn(text);
  const { settings, problems } = readFlexSettings(ours);
  const differences = compare(before, ours, `ui_attributes.${key}`);
  const change: FlexConfigurationChange = differences.length > 0 ? { uiAttributesText: text } : {};
  const notes: string[] = [];
  if (settings.recording.mode === 'ours') {
    if (current.callRecordingEnabled)
      notes.push(
        'Flex\'s own call recording is on, and mode "ours" records too: each call would be recorded twice. Switch it off in the Console (Flex, Settings), or choose --mode theirs.',
      );
  } else flexRecords(current, settings, { change, differences, notes });
  return { change, differences, problems, notes };
}

/** Modes theirs and both: Flex's own recording is on, and tells our Function of each. */
function flexRecords(
  current: FlexConfiguration,
  { functionsUrl }: FlexSettings,
  { change, differences, notes }: Pick<Plan, 'change' | 'differences' | 'notes'>,
): void {
  if (!current.callRecordingEnabled) {
    change.callRecordingEnabled = true;
    differences.push({ path: 'call_recording_enabled', before: false, after: true });
  }
  if (functionsUrl === undefined) return;
  // Flex fills in the task; the fragment has Twilio try again, five times, whatever went wrong.
  const wanted = `${functionsUrl}/recording-status-callback?taskSid={taskSid}#rc=5&rp=all`;
  const found = current.callRecordingWebhookUrl;
  if (found === wanted) return;
  change.callRecordingWebhookUrl = wanted;
  differences.push({ path: 'call_recording_webhook_url', before: found, after: wanted });
  if (found !== undefined) notes.push('The webhook that Flex called until now will no longer be called.');
}

const oursIn = (text: string): unknown => (JSON.parse(text) as Json)[key];

/** Our own settings by path: everything beside it keeps its text. */
function editOf(ours: unknown, steps: readonly string[], value: unknown): JsonEdit {
  let found = ours;
  let path = key;
  for (const step of steps) {
    if (found === undefined || found === null) break;
    if (!isObject(found))
      throw new CustodyError(
        'settings_unreadable',
        `${path} is no object in the Flex configuration, and would have to be replaced: correct it first`,
      );
    found = found[step];
    path = `${path}.${step}`;
  }
  return { path: [key, ...steps], value: value === null ? undefined : value };
}

/** Lists are compared as a whole: a rule means little without those before it. */
function compare(before: unknown, after: unknown, path: string): Difference[] {
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return names.flatMap((name) => compare(before[name], after[name], `${path}.${name}`));
  }
  if (isObject(after) && before === undefined) return compare({}, after, path);
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  return [{ path, before, after }];
}

/** As a unified diff has it: what goes, then what comes. */
export function linesOf({ path, before, after }: Difference): string[] {
  return [
    ...(before === undefined ? [] : [`- ${path}: ${JSON.stringify(before)}`]),
    ...(after === undefined ? [] : [`+ ${path}: ${JSON.stringify(after)}`]),
  ];
}
