import type { WorkerSid } from '@flex-custody/core';
import type { Current } from './current.ts';
import type { Verdict } from './default-employee.ts';
import { dayIn, type Employee, type Employees, type ReadEmployees } from './employees.ts';
import { lineOf } from './fault.ts';

/** Who the employees are, as the data source has it now. */
export interface People {
  /** Whose worker it was at that time; undefined: no employee's. */
  employeeOf(worker: WorkerSid, at: Date): Employee | undefined;
  /** For recordings that match no employee; undefined: none is set, or the one that is set is not valid. */
  defaultEmployee: Employee | undefined;
}

export interface PeopleDeps {
  current(): Promise<Current | undefined>;
  readEmployees: ReadEmployees;
  /** What is wrong with each; none: all is well again. */
  report: Record<'employees' | 'defaultEmployee', (faults: readonly string[]) => Promise<void>>;
  /** Epoch ms. */
  now(): number;
}

/** How long a verdict on a worker of TaskRouter is used. */
const verdictMs = 300_000;

export function createPeople({ current, readEmployees, report, now }: PeopleDeps): () => Promise<People> {
  let good: Employees | undefined;
  let judged: { key: string; verdict: Verdict; version: number } | undefined;
  return async () => {
    const found = await current();
    const read = readEmployees();
    await report.employees('faults' in read ? read.faults : []);
    if (!('faults' in read)) good = read;
    const employees = good;
    const settings = found?.settings;
    const timeZone = settings?.timeZone ?? 'UTC';
    const people: People = {
      employeeOf: (worker, at) => employees?.employeeOf(worker, at, timeZone),
      defaultEmployee: undefined,
    };
    if (!found || !settings || !employees) return people;
    const { defaultEmployee: id, defaultOrganization: organization } = settings;
    if (id === undefined || organization === undefined) {
      await report.defaultEmployee([]);
      return people;
    }
    const at = new Date(now());
    const key = [found.version, employees.stamp, dayIn(timeZone, at), Math.floor(now() / verdictMs)].join(
      ' ',
    );
    if (judged?.key !== key) {
      try {
        judged = { key, verdict: await employees.judge(settings, at, true), version: found.version };
      } catch {
        // TaskRouter does not answer: what was known still counts, at first what the last save has found.
        judged = {
          key,
          verdict: judged?.version === found.version ? judged.verdict : {},
          version: found.version,
        };
      }
    }
    const { fault } = judged.verdict;
    await report.defaultEmployee(fault ? [lineOf(fault)] : []);
    return fault ? people : { ...people, defaultEmployee: { id, organization } };
  };
}
