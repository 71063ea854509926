import { type Command, InvalidArgumentError } from 'commander';
import type { DataSourceApi, OperatorChange } from '../http/operators/data-source-routes.ts';
import type { DataSourceView } from '../recorder/data-source/data-source.ts';
import { lineOf as faultLine, invalid } from '../recorder/data-source/fault.ts';
import type { DataSource } from '../recorder/data-source/fields.ts';
import { dataSourceSchema } from '../recorder/data-source/schema.ts';
import { secretFaults } from '../recorder/data-source/secret-faults.ts';
import { readSettingsFile, settingsText } from '../recorder/data-source/yaml.ts';
import { readText } from './file-input.ts';
import { openOutput } from './file-output.ts';
import { withOperatorApi } from './operator-api.ts';
import { printJson, table } from './output.ts';
import { whoami } from './policy-apply.ts';
import { type Assignment, assignmentOf, withAssignments } from './setting-assignments.ts';

interface ChangeFlags {
  ifVersion?: number;
  comment?: string;
  dryRun?: boolean;
  json?: boolean;
}

export function registerRecorderSettings(recorder: Command): void {
  const settings = recorder
    .command('settings')
    .description('show and change the settings of the data source');
  settings
    .command('show')
    .description('print the settings that apply, their version, and who set it; a secret is "set" or "unset"')
    .option('--json', '{version, settings, setAt, by, comment, file}')
    .action(({ json }: { json?: boolean }) =>
      withOperatorApi(async (api) => {
        const view = await api.dataSource();
        if (json) printJson(view);
        else console.log(viewText(view));
      }),
    );
  changing(settings.command('set'))
    .description('change settings; an empty value leaves a setting out; secrets are set by `secrets set`')
    .argument(
      '<assignments...>',
      'KEY=VALUE, advanced.KEY=VALUE',
      (word: string, before: Assignment[] = []) => [...before, assignmentOf(word)],
    )
    .action((assignments: Assignment[], flags: ChangeFlags) =>
      change(flags, (view) => withAssignments(view.settings, assignments)),
    );
  changing(settings.command('import'))
    .description('take over all settings of a file (data-source.yaml); secrets stay as they are')
    .argument('<file>', '- reads standard input')
    .action(async (file: string, flags: ChangeFlags) => {
      const yaml = readSettingsFile(await readText(file));
      if (typeof yaml === 'string') throw invalid([`${file}: ${yaml}`]);
      await change(
        flags,
        () => yaml.given,
        (fault) => {
          const [key = '', ...words] = fault.split(' ');
          return `${file}: ${yaml.lineOf({ key, message: words.join(' ') })}`;
        },
      );
    });
  settings
    .command('export')
    .description('write the settings as a file, with their meaning and without secrets')
    .argument('[file]', '- is standard output, the default', '-')
    .option('--force', 'overwrite the file')
    .option('--json', 'write JSON')
    .action((file: string, { force = false, json }: { force?: boolean; json?: boolean }) =>
      withOperatorApi(async (api) => {
        const { settings: all } = await api.dataSource();
        const text = json
          ? `${JSON.stringify(all, undefined, 2)}\n`
          : settingsText(all as Partial<DataSource>);
        const output = openOutput(file, force);
        await new Promise<void>((resolve, reject) => {
          output.stream.once('error', reject);
          if (output.end) output.stream.end(text, () => resolve());
          else output.stream.write(text, () => resolve());
        });
        await output.keep();
      }),
    );
  settings
    .command('history')
    .description('list the last hundred versions, newest first')
    .option('--json', '[{version, settings, setAt, by, comment}]')
    .action(({ json }: { json?: boolean }) =>
      withOperatorApi(async (api) => {
        const all = await api.dataSourceHistory();
        if (json) printJson(all);
        else if (all.length === 0) console.log('No versions.');
        else
          console.log(
            table(
              ['VERSION', 'SET', 'BY', 'COMMENT'],
              all.map(({ version, setAt, by, comment }) => [version, new Date(setAt), by, comment]),
            ).join('\n'),
          );
      }),
    );
  settings
    .command('schema')
    .description('print the JSON Schema of data-source.yaml, for editors')
    .option('--json', 'changes nothing: the output is JSON in any case')
    .action(() => printJson(dataSourceSchema()));
}

const changing = (command: Command): Command =>
  command
    .option('--if-version <n>', 'only if this version is current', versionOf)
    .option('--comment <text>', 'why, for the history', commentOf)
    .option('--dry-run', 'check, and show what would change; change nothing')
    .option('--json', '{version, isSaved, changed, faults, warnings, dryRun?}');

function versionOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('the number of a version, as `recorder settings show` prints it');
}

function commentOf(text: string): string {
  if (/^[^\p{C}]{1,500}$/u.test(text)) return text;
  throw new InvalidArgumentError('up to 500 characters on one line');
}

const change = (
  flags: ChangeFlags,
  settingsOf: (view: DataSourceView) => unknown,
  lineOf: (fault: string) => string = (fault) => fault,
): Promise<void> =>
  withOperatorApi(async (api) => {
    if (!(await applyChange(api, flags, settingsOf, lineOf))) process.exitCode = 1;
  });

/** @returns false if there is a fault: nothing was changed then */
export async function applyChange(
  api: Pick<DataSourceApi, 'dataSource' | 'changeDataSource'>,
  { ifVersion, comment, dryRun = false, json }: ChangeFlags,
  settingsOf: (view: DataSourceView) => unknown,
  lineOf: (fault: string) => string,
): Promise<boolean> {
  const view = await api.dataSource();
  const settings = settingsOf(view);
  const request: OperatorChange = {
    settings,
    over: ifVersion ?? view.version,
    by: whoami(),
    dryRun,
    ...(comment !== undefined && { comment }),
  };
  const faultsOfSecrets = secretFaults(settings).map(faultLine);
  const outcome =
    faultsOfSecrets.length > 0
      ? { version: view.version, isSaved: false, changed: [], faults: faultsOfSecrets, warnings: [] }
      : await api.changeDataSource(request);
  const { version, isSaved, changed, warnings } = outcome;
  const faults = outcome.faults.map(lineOf);
  if (json) printJson({ ...outcome, faults, ...(dryRun && { dryRun }) });
  for (const warning of warnings) console.error(`warning: ${warning}`);
  if (faults.length > 0) {
    console.error(['Nothing changed:', ...faults.map((line) => `  ${line}`)].join('\n'));
    return false;
  }
  if (json) return true;
  const names = changed.join(', ');
  if (isSaved) console.log(`Version ${version}: ${names || 'the defaults'}.`);
  else if (dryRun) console.log(`Dry run: nothing changed. It would change: ${names || 'nothing'}.`);
  else console.log(`Nothing to change: version ${version} has these settings.`);
  return true;
}

export function viewText({ version, settings, setAt, by, comment, file }: DataSourceView): string {
  const { advanced, ...own } = settings;
  const rows = [
    ...Object.entries(own),
    ...Object.entries(advanced ?? {}).map(([key, value]) => [`advanced.${key}`, value]),
  ].map(([key, value]) => [String(key), Array.isArray(value) ? value.join(',') : String(value)]);
  const since = setAt ? `Version ${version}, set ${new Date(setAt).toISOString()} by ${by}` : '';
  return [
    ...table(['SETTING', 'VALUE'], rows),
    '',
    version === 0
      ? 'No settings were saved yet: these are the defaults.'
      : `${since}${comment ? `: ${comment}` : ''}.`,
    ...(file === undefined ? [] : [`The file ${file} rules: change the settings there.`]),
  ].join('\n');
}
