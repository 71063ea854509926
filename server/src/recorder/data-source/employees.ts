import { statSync } from 'node:fs';
import { asWorkerSid, type WorkerSid, type WorkspaceSid } from '@flex-custody/core';
import type { TwilioApi } from '@flex-custody/twilio';
import { isOpenToOthers, readPrivateFile } from '../../config/private-file.ts';
import { systemCode } from '../../config/system-code.ts';
import { defaultEmployeeIn, type Verdict } from './default-employee.ts';
import { type EmployeeRow, groupedBy, readEmployees } from './employee-rows.ts';
import type { DataSource } from './fields.ts';

export interface Employee {
  id: string;
  organization: string;
}

/** The employees as they are now. */
export interface Employees {
  /** Changes when the employees may have changed. */
  stamp: string;
  /** Whose worker it was at that time; dates are read in `timeZone`. */
  employeeOf(worker: WorkerSid, at: Date, timeZone: string): Employee | undefined;
  /** See {@link defaultEmployeeIn}. `now` is a time; rejects if TaskRouter does not answer. */
  judge(settings: DataSource, now: Date, wasSaved: boolean): Promise<Verdict>;
}

export interface EmployeesDeps {
  /** The file of employees; if it does not exist, TaskRouter's workers are the employees. */
  file: string | undefined;
  /** Asked for only if it is needed. */
  taskRouter(): TaskRouter;
}

export interface TaskRouter extends Pick<TwilioApi, 'worker'> {
  workspaceSid: WorkspaceSid;
}

/** @returns the employees, or the lines of what is wrong with their file */
export type ReadEmployees = () => Employees | { faults: string[] };

/** Reads the file again if it has changed. */
export function createEmployees({ file, taskRouter }: EmployeesDeps): ReadEmployees {
  let last: { stamp: string; read: Employees | { faults: string[] } } | undefined;
  return () => {
    const stamp = file === undefined ? undefined : stampOf(file);
    if (file === undefined || stamp === undefined) return workersOf(taskRouter);
    if (last?.stamp !== stamp) last = { stamp, read: fromFile(file, stamp) };
    return last.read;
  };
}

/** Undefined if the file does not exist. */
export function stampOf(file: string): string | undefined {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stats && [stats.mtimeNs, stats.size, stats.ino, stats.mode].join(' ');
}

/** @throws text of the fault as `{ fault }`, which quotes nothing of the file */
export function readOwnFile(file: string): string | { fault: string } {
  try {
    return readPrivateFile(file, 'write');
  } catch (error) {
    if (isOpenToOthers(error)) return { fault: error.message };
    return { fault: `${file} cannot be read (${systemCode(error) || 'unknown error'})` };
  }
}

function fromFile(file: string, stamp: string): Employees | { faults: string[] } {
  const text = readOwnFile(file);
  if (typeof text !== 'string') return { faults: [text.fault] };
  const read = readEmployees(text);
  if ('faults' in read) return { faults: read.faults.map((fault) => `${file}: ${fault}`) };
  const { rows } = read;
  const byWorker = groupedBy(rows, ({ worker }) => worker);
  return {
    stamp,
    employeeOf: (worker, at, timeZone) => rowOn(byWorker.get(worker) ?? [], dayIn(timeZone, at)),
    judge: async ({ defaultOrganization: organization, defaultEmployee: id, timeZone }, now, wasSaved) =>
      organization === undefined || id === undefined
        ? {}
        : defaultEmployeeIn(rows, { organization, id }, dayIn(timeZone, now), wasSaved),
  };
}

function rowOn(rows: readonly EmployeeRow[], day: string): Employee | undefined {
  const row = rows.find(({ start, end }) => start <= day && (end === undefined || day <= end));
  return row && { id: row.id, organization: row.organization };
}

/** TaskRouter has no dates and no organizations: the workspace is the organization, and a worker's SID is the id. */
function workersOf(taskRouter: () => TaskRouter): Employees {
  return {
    stamp: 'TaskRouter',
    employeeOf: (id) => ({ id, organization: taskRouter().workspaceSid }),
    async judge({ defaultOrganization, defaultEmployee }, _, wasSaved) {
      if (defaultOrganization === undefined || defaultEmployee === undefined) return {};
      const { workspaceSid, worker } = taskRouter();
      if (defaultOrganization !== workspaceSid)
        return {
          fault: {
            key: 'defaultOrganization',
            message:
              'must be the SID of the workspace while there is no file of employees: set TWILIO_WORKSPACE_SID there, or write employees.yaml',
          },
        };
      const sid = asWorkerSid(defaultEmployee);
      if (sid && (await worker(sid))) return {};
      return {
        fault: {
          key: 'defaultEmployee',
          message: wasSaved
            ? 'was deleted from TaskRouter since it was saved: choose another worker'
            : 'is not the SID of a worker in TaskRouter: copy it from the Twilio Console, TaskRouter, Workers',
        },
      };
    },
  };
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** The day in a time zone, such as 2026-11-30. */
export function dayIn(timeZone: string, at: Date): string {
  let format = formats.get(timeZone);
  if (!format) {
    const parts = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;
    format = new Intl.DateTimeFormat('en-CA', { timeZone, ...parts });
    formats.set(timeZone, format);
  }
  return format.format(at);
}
