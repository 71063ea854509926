import { awsIdentity } from '../../config/aws-identity.ts';
import { faultsHere } from '../../recorder/data-source/check.ts';
import { readFile } from '../../recorder/data-source/current.ts';
import { createEmployees } from '../../recorder/data-source/employees.ts';
import { lineOf } from '../../recorder/data-source/fault.ts';
import type { DataSource } from '../../recorder/data-source/fields.ts';
import { type ReadSettings, readSettings } from '../../recorder/data-source/read.ts';
import { advice, note, type Seen, unknownBefore } from './finding.ts';
import { orUndefined, type Scene } from './scene.ts';

/** Whether the settings of the data source are valid here, with their default employee, and fit the way in to AWS. */
export async function dataSource(
  scene: Pick<Scene, 'config' | 'health' | 'twilio'>,
  identity: string | undefined = awsIdentity(),
): Promise<Seen> {
  const { accountSid, dataSourceFile: file, employeesFile, pauseSet, workspaceSid } = scene.config;
  const health = await orUndefined(scene.health());
  const stored = health === 'locked' ? undefined : health?.work?.dataSource;
  if (stored === undefined && file === undefined) return unknownBefore('database');
  if (!stored && file === undefined) return 'none saved yet: the defaults apply';
  // Secrets are the matter of their own check.
  const check = (given: unknown): ReadSettings => {
    const read = readSettings(given);
    return { ...read, faults: [...read.faults, ...faultsHere(read.settings, accountSid, pauseSet)] };
  };
  const settings = await validOf(file, stored, check);
  const { twilio } = scene;
  const taskRouter = () => ({ workspaceSid, worker: twilio.worker.bind(twilio) });
  const employees = createEmployees({ file: employeesFile, taskRouter })();
  if ('faults' in employees) throw split(employees.faults[0] ?? '', 'correct the file of employees');
  const { fault, warning } = await employees.judge(settings, new Date(), true);
  if (fault) throw split(lineOf(fault), 'choose another default employee');
  if (warning !== undefined) return note(warning, 'flex-custody recorder settings set defaultEmployee=…');
  if (settings.specifyCredentials && identity !== undefined)
    return note(
      `the stream is read with a static access key, although AWS gives this host ${identity}`,
      'flex-custody recorder settings set specifyCredentials=false accessKeyId= secretAccessKey=unset',
    );
  return `${file === undefined ? `version ${stored?.version}` : file}: valid`;
}

/** @throws Advice with the first fault */
async function validOf(
  file: string | undefined,
  stored: { version: number; settings: unknown } | null | undefined,
  check: (given: unknown) => ReadSettings,
): Promise<DataSource> {
  if (file !== undefined) {
    const read = await readFile(file, async (given) => check(given));
    if ('faults' in read) throw split(read.faults[0] ?? '', `correct ${file}`);
    return read.settings;
  }
  const { settings, faults } = check(stored?.settings ?? {});
  const [first] = faults;
  if (first) throw split(lineOf(first), 'correct the setting');
  return settings;
}

/** Faults are `what is wrong: next step`. */
function split(fault: string, otherwise: string) {
  const at = fault.lastIndexOf(': ');
  return at < 0 ? advice(fault, otherwise) : advice(fault.slice(0, at), fault.slice(at + 2));
}
