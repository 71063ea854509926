import type { AccountSid } from '@flex-custody/core';
import type { Secrets } from '../../secrets/secrets.ts';
import type { Employees } from './employees.ts';
import type { Fault } from './fault.ts';
import { type DataSource, type SecretKey, secretName } from './fields.ts';
import { pauseFault } from './pausing.ts';
import { type ReadSettings, readSettings } from './read.ts';

/** What of the host the settings must fit. */
export interface Surroundings {
  accountSid: AccountSid;
  /** The environment's TwilioEnablePauseResume; undefined: it is not set. */
  pauseSet: boolean | undefined;
  secrets: Pick<Secrets, 'list'>;
}

/** Reads settings, and compares them with the host that they are for. */
export async function checkSettings(
  given: unknown,
  { accountSid, pauseSet, secrets }: Surroundings,
): Promise<ReadSettings> {
  const names = await secretsOf(secrets);
  const read = readSettings(given, (key) => names.has(secretName(key)));
  return { ...read, faults: [...read.faults, ...faultsHere(read.settings, accountSid, pauseSet)] };
}

export const secretsOf = async (secrets: Pick<Secrets, 'list'>): Promise<ReadonlySet<string>> =>
  new Set((await secrets.list()).map(({ name }) => name));

/** What the host's environment contradicts. */
export function faultsHere(
  settings: DataSource,
  accountSid: AccountSid,
  pauseSet: boolean | undefined,
): Fault[] {
  const { twilioAccountSid } = settings;
  const pause = pauseFault(settings, pauseSet);
  return [
    ...(twilioAccountSid !== undefined && twilioAccountSid !== accountSid
      ? [
          {
            key: 'twilioAccountSid',
            message:
              "is not the account of this host: set it to the host's TWILIO_ACCOUNT_SID, or leave it out",
          },
        ]
      : []),
    ...(pause ? [pause] : []),
  ];
}

/** Judges the default employee of settings that are about to be saved over others. */
export async function judgeDefault(
  settings: DataSource,
  before: DataSource | undefined,
  read: Employees | { faults: string[] },
  now: Date,
): Promise<{ faults: Fault[]; warnings: string[] }> {
  const { defaultEmployee: id, defaultOrganization: organization } = settings;
  if (id === undefined || organization === undefined) return { faults: [], warnings: [] };
  if ('faults' in read) {
    const message = (fault: string) => `cannot be checked, since the file of employees has a fault: ${fault}`;
    return {
      faults: read.faults.map((fault) => ({ key: 'defaultEmployee', message: message(fault) })),
      warnings: [],
    };
  }
  const wasSaved = before?.defaultEmployee === id && before.defaultOrganization === organization;
  const { fault, warning } = await read.judge(settings, now, wasSaved);
  return { faults: fault ? [fault] : [], warnings: warning === undefined ? [] : [warning] };
}

/** The settings as they are shown: `set` or `unset` in place of each secret. */
export function shown(
  settings: DataSource,
  keys: readonly SecretKey[],
  names: ReadonlySet<string>,
): Record<string, unknown> {
  const secrets = keys.map((key) => [key, names.has(secretName(key)) ? 'set' : 'unset']);
  return { ...settings, ...Object.fromEntries(secrets) };
}
