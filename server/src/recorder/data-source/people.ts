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
  report(code: 'employees_invalid' | 'default_employee_invalid', faults: readonly string[]): Promise<void>;
  /** Epoch ms. */
  now(): number;
}

/** How long a verdict on a worker of TaskRouter is used. */
const verdictMs = 300_000;

export function createPeople({ current, readEmployees, report, now }: PeopleDeps): () => Promise<People> {
  let good: Employees | undefined;
  let judged: { key: string; verdict: Verdict } | undefined;
  return async () => {
    const found = await current();
    const read = readEmployees();
    await report('employees_invalid', 'faults' in read ? read.faults : []);
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
      await report('default_employee_invalid', []);
      return people;
    }
    const at = new Date(now());
    const key = [found.version, employees.stamp, dayIn(timeZone, at), Math.floor(now() / verdictMs)].join(
      ' ',
    );
    if (judged?.key !== key) {
      try {
        judged = { key, verdict: await employees.judge(settings, at, true) };
      } catch (error) {
        // TaskRouter does not answer: what was known of this version still counts.
        if (!judged?.key.startsWith(`${found.version} `)) throw error;
      }
    }
    const fault = judged?.verdict.fault;
    await report('default_employee_invalid', fault ? [lineOf(fault)] : []);
    return fault ? people : { ...people, defaultEmployee: { id, organization } };
  };
}
