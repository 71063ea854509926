import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type AccountSid, CustodyError } from '@flex-custody/core';
import type { Audit, AuditEntry } from '../../access/audit.ts';
import { operator } from '../../access/audit.ts';
import type { Alarms } from '../../alarms/alarms.ts';
import type { Secrets } from '../../secrets/secrets.ts';
import { checkSettings, judgeDefault, type Surroundings, secretsOf, shown } from './check.ts';
import { type Current, createCurrent } from './current.ts';
import type { ReadEmployees } from './employees.ts';
import { lineOf } from './fault.ts';
import { isSecretKey, secretKeys, secretName } from './fields.ts';
import { createPeople, type People } from './people.ts';
import { type ReadSettings, readSettings } from './read.ts';
import { changedMeanwhile, type Version, type Versions } from './versions.ts';

/** What a reader of the settings needs. */
export interface DataSourceReader {
  /** At most 5 s old; undefined: none were ever saved. */
  current(): Promise<Current | undefined>;
}

/** The settings as people see them. */
export interface DataSourceView {
  /** 0: none were ever saved, and the defaults are shown. */
  version: number;
  /** With `set` or `unset` in place of each secret. */
  settings: Readonly<Record<string, unknown>>;
  setAt?: Date;
  by?: string;
  comment?: string;
  /** The file that rules: the settings can then be changed only there. */
  file?: string;
}

export interface Change {
  /** All settings; a secret is a new value, or `set` to leave it as it is, or `unset` to remove it. */
  settings: unknown;
  /** The version that the change was made on. */
  over: number;
  by: string;
  comment?: string | undefined;
  /** Says what would change, and changes nothing. */
  dryRun?: boolean;
  viewer?: AuditEntry['viewer'];
  /** The rule that allowed it. */
  reason?: string;
  requestId?: string;
}

/** Outcome of a change. With faults nothing was changed. */
export interface Changed {
  /** The version that is current now. */
  version: number;
  isSaved: boolean;
  /** Names of the settings that the change gives another value. */
  changed: string[];
  /** One for each setting at fault, beginning with its name. */
  faults: string[];
  warnings: string[];
}

export interface DataSources extends DataSourceReader {
  view(): Promise<DataSourceView>;
  /** Newest first. */
  history(limit: number): Promise<Version[]>;
  /**
   * @throws CustodyError `data_source_changed` (412) if another version is current than `over`, `data_source_read_only` (409)
   * while a file rules
   */
  change(change: Change): Promise<Changed>;
  /** The employees, and the default employee if it is valid. */
  people(): Promise<People>;
  /** Resolves once another version is current than this one (undefined: none), or when the signal aborts. */
  onChange(version: number | undefined, signal: AbortSignal): Promise<void>;
}

export interface DataSourceDeps extends Omit<Surroundings, 'secrets'> {
  accountSid: AccountSid;
  file: string | undefined;
  versions: Versions;
  secrets: Secrets;
  readEmployees: ReadEmployees;
  audit: Pick<Audit, 'record'>;
  alarms: Pick<Alarms, 'raise' | 'resolve'>;
  /** Epoch ms. */
  now?: () => number;
  /** Ms between two looks of `onChange`; 5,000 by default. */
  lookMs?: number;
}

export function createDataSource(deps: DataSourceDeps): DataSources {
  const { accountSid, file, versions, secrets, audit, alarms, readEmployees } = deps;
  const { now = Date.now, lookMs = 5_000 } = deps;
  const report = reporting(alarms);
  const check = (given: unknown) => checkSettings(given, deps);
  const record = (entry: Pick<AuditEntry, 'viewer' | 'reason'> & { requestId?: string }) =>
    audit.record({
      ...entry,
      action: 'data-source.set',
      subject: { kind: 'account', sid: accountSid },
      allowed: true,
    });
  const current = createCurrent({
    ...{ file, versions, check, now },
    recordFile: () => record({ viewer: operator, reason: 'file' }),
    report: report.settings,
  });
  const people = createPeople({ current: current.read, readEmployees, report, now });

  const keep = async (read: ReadSettings, by: string, names: ReadonlySet<string>): Promise<void> => {
    for (const [key, change] of Object.entries(read.secrets)) {
      if (!isSecretKey(key) || change === 'set') continue;
      if (typeof change === 'object') await secrets.set(secretName(key), change.value, by);
      else if (names.has(secretName(key))) await secrets.remove(secretName(key), by);
    }
  };

  return {
    current: current.read,
    people,
    history: (limit) => versions.history(limit),
    async view() {
      const found = file === undefined ? undefined : await current.read();
      const [row] = await versions.history(1);
      const names = await secretsOf(secrets);
      const settings = found?.settings ?? readSettings(row?.settings ?? {}).settings;
      const { version = 0, setAt, by, comment } = row ?? {};
      return {
        version,
        settings: shown(settings, secretKeys, names),
        ...(setAt && { setAt }),
        ...(by !== undefined && { by }),
        ...(comment !== undefined && { comment }),
        ...(file !== undefined && { file }),
      };
    },
    async change({ settings: given, over, by, comment, dryRun = false, viewer, reason, requestId }) {
      if (file !== undefined)
        throw new CustodyError(
          'data_source_read_only',
          `CUSTODY_DATA_SOURCE_FILE rules: change ${file} on the host`,
        );
      const before = await versions.current();
      const version = before?.version ?? 0;
      if (version !== over) throw changedMeanwhile();
      const was = before && readSettings(before.settings).settings;
      const names = await secretsOf(secrets);
      const read = await check(given);
      const changed = differences(was ?? readSettings({}).settings, read, names);
      const judged =
        read.faults.length > 0
          ? { faults: [], warnings: [] }
          : await judgeDefault(read.settings, was, readEmployees(), new Date(now()));
      const faults = [...read.faults, ...judged.faults].map(lineOf);
      const outcome = { version, isSaved: false, changed, faults, warnings: judged.warnings };
      if (faults.length > 0 || dryRun || (before && changed.length === 0)) return outcome;
      await record({
        viewer: viewer ?? operator,
        reason: reason ?? 'operator',
        ...(requestId !== undefined && { requestId }),
      });
      // First the version: of two changes at once, the one that is refused must leave the secrets as they are.
      const next = await versions.append({ settings: read.settings, by, comment }, over);
      current.forget();
      await keep(read, by, names);
      return { ...outcome, version: next, isSaved: true };
    },
    async onChange(version, signal) {
      while (!signal.aborted) {
        // While the database does not answer, the version that was known is still the newest.
        const found = await current.read().catch(() => ({ version }));
        if (found?.version !== version) return;
        await sleep(lookMs, undefined, { signal }).catch(() => undefined);
      }
    },
  };
}

/** Names of the settings that differ; a secret that is set again counts. */
function differences(was: object, read: ReadSettings, names: ReadonlySet<string>): string[] {
  const before = Object.entries(was);
  const after = Object.entries(read.settings);
  const all = new Set([...before, ...after].map(([key]) => key));
  const [old, now] = [new Map(before), new Map(after)];
  const secrets = secretKeys.filter((key) => {
    const change = read.secrets[key];
    return typeof change === 'object' || (change === 'unset' && names.has(secretName(key)));
  });
  return [...[...all].filter((key) => !isDeepStrictEqual(old.get(key), now.get(key))), ...secrets];
}

type Report = (faults: readonly string[]) => Promise<void>;

/** Raises and resolves an alarm where its detail changes, not at each look. */
function atChanges(raise: (detail: string) => Promise<void>, resolve: () => Promise<void>): Report {
  let last: string | undefined;
  return async (faults) => {
    const detail = faults.slice(0, 20).join('\n');
    if (last === detail) return;
    await (detail === '' ? resolve() : raise(detail));
    last = detail;
  };
}

const reporting = (alarms: Pick<Alarms, 'raise' | 'resolve'>) => ({
  settings: atChanges(
    (detail) => alarms.raise('data_source_invalid', undefined, detail),
    () => alarms.resolve(['data_source_invalid']),
  ),
  employees: atChanges(
    (detail) => alarms.raise('employees_invalid', undefined, detail),
    () => alarms.resolve(['employees_invalid']),
  ),
  defaultEmployee: atChanges(
    (detail) => alarms.raise('default_employee_invalid', undefined, detail),
    () => alarms.resolve(['default_employee_invalid']),
  ),
});
