import {
  CustodyError,
  type FlexSettings,
  isObject,
  type JsonEdit,
  readFlexSettings,
  type SettingProblem,
} from '@flex-custody/core';
import { editJson, type FlexConfiguration, type FlexConfigurationChange } from '@flex-custody/twilio';

/** A setting below `flex_custody` by its path with dots; null removes it. */
export type SettingChange = [path: string, value: unknown];

export interface Difference {
  path: string;
  /** Undefined if it is not set. */
  before: unknown;
  after: unknown;
}

export interface Plan {
  /** What must be written; empty if the configuration is already correct. */
  change: FlexConfigurationChange;
  differences: Difference[];
  /** Faults of the resulting settings; nothing is written while there is one. */
  problems: SettingProblem[];
  /** For the operator, whether or not anything changes. */
  notes: string[];
}

const key = 'flex_custody';
type Json = Record<string, unknown>;

/**
 * What must change in a Flex configuration so that our plugins have the requested settings. All other settings stay.
 * @param defaults for settings that are neither set nor requested
 * @throws CustodyError `settings_unreadable` if a requested setting would replace a value that is not an object
 */
export function planSetup(
  current: FlexConfiguration,
  wishes: readonly SettingChange[],
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

/** Modes theirs and both: Flex's own recording is on, and Flex reports each recording to our Function. */
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
  // Flex fills in the task; because of the fragment Twilio retries five times, after any fault.
  const wanted = `${functionsUrl}/recording-status-callback?taskSid={taskSid}#rc=5&rp=all`;
  const found = current.callRecordingWebhookUrl;
  if (found === wanted) return;
  change.callRecordingWebhookUrl = wanted;
  differences.push({ path: 'call_recording_webhook_url', before: found, after: wanted });
  if (found !== undefined) notes.push('The webhook that Flex called until now will no longer be called.');
}

const oursIn = (text: string): unknown => (JSON.parse(text) as Json)[key];

/** Sets one of our settings by its path; all other text stays as it is. */
function editOf(ours: unknown, steps: readonly string[], value: unknown): JsonEdit {
  let found = ours;
  let path = key;
  for (const step of steps) {
    if (found === undefined || found === null) break;
    if (!isObject(found))
      throw new CustodyError(
        'settings_unreadable',
        `${path} is not an object in the Flex configuration, and would be replaced: correct it first`,
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

/** As in a unified diff: the old value, then the new one. */
export function linesOf({ path, before, after }: Difference): string[] {
  return [
    ...(before === undefined ? [] : [`- ${path}: ${JSON.stringify(before)}`]),
    ...(after === undefined ? [] : [`+ ${path}: ${JSON.stringify(after)}`]),
  ];
}
