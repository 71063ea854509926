import { stringify } from 'yaml';
import { readYaml } from '../../retention/policy-faults.ts';
import { type Fault, lineOf } from './fault.ts';
import { type AnyField, advancedFields, type DataSource, fields, keys } from './fields.ts';

export interface SettingsFile {
  given: unknown;
  /** A fault as a line that says where in the file it is. */
  lineOf(fault: Fault): string;
}

/** @returns the text of the fault, with its line, if it is not YAML */
export function readSettingsFile(text: string): SettingsFile | string {
  const yaml = readYaml(text);
  if (typeof yaml === 'string') return yaml;
  const { value, placeOf } = yaml;
  return {
    given: value ?? {},
    lineOf: (fault) => `${lineOf(fault)}${placeOf(fault.key.split('.'))}`,
  };
}

/** The settings as a file, each with its meaning; those that are not set are comments. */
export function settingsText(settings: Partial<DataSource>): string {
  const lines = keys.flatMap((key) => {
    const field: AnyField = fields[key];
    if (key === 'advanced') return ['', `# ${field.means}`, 'advanced:', ...advancedLines(settings)];
    if (field.kind === 'secret')
      return ['', `# ${field.means} A secret: flex-custody secrets set data-source/${key}`, `# ${key}: set`];
    const value: unknown = settings[key as keyof DataSource];
    return ['', `# ${field.means}`, value === undefined ? `# ${key}:` : pair(key, value)];
  });
  return `${['# Data source of flex-custody: docs/recorder.md.', ...lines].join('\n')}\n`;
}

function advancedLines({ advanced = {} }: Partial<DataSource>): string[] {
  return Object.entries(advancedFields).flatMap(([key, { means }]) => {
    const value = advanced[key as keyof typeof advanced];
    return [`  # ${means}`, value === undefined ? `  # ${key}:` : `  ${pair(key, value)}`];
  });
}

/** YAML quotes the value where it would be read as another type. */
const pair = (key: string, value: unknown): string => stringify({ [key]: value }, { lineWidth: 0 }).trimEnd();
