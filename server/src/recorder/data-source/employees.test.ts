import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkerSid, WorkspaceSid } from '@flex-custody/core';
import { defaultEmployeeIn, type Verdict } from './default-employee.ts';
import { type EmployeeRow, readEmployees } from './employee-rows.ts';
import { createEmployees, dayIn, type Employees } from './employees.ts';
import { readSettings } from './read.ts';

const worker = (n: number) => `WK${String(n).padStart(32, '0')}` as WorkerSid;
const ada = { organization: 'Sales', id: 'ada' };
const today = '2026-11-30';
const row = (change: Partial<EmployeeRow> = {}): EmployeeRow => ({ ...ada, start: '2026-01-01', ...change });

const wordsOf = ({ fault, warning }: Verdict) =>
  fault?.message ?? (warning && `warning: ${warning}`) ?? 'valid';
const judged = (rows: EmployeeRow[], wasSaved = false) =>
  wordsOf(
    defaultEmployeeIn(
      rows.toSorted((a, b) => (a.start < b.start ? -1 : 1)),
      ada,
      today,
      wasSaved,
    ),
  );

test.each<[name: string, rows: EmployeeRow[], wasSaved: boolean, words: string]>([
  ['employed', [row()], false, 'valid'],
  ['since today', [row({ start: today })], false, 'valid'],
  ['from tomorrow', [row({ start: '2026-12-01' })], false, 'begins on 2026-12-01 only'],
  ['unknown', [row({ id: 'eve' })], false, 'is not the id of an employee'],
  ['deleted', [row({ id: 'eve' })], true, 'was deleted from the employees since it was saved'],
  ['an unknown organization', [row({ organization: 'Care' })], false, 'is not one of the employees'],
  ['a removed organization', [row({ organization: 'Care' })], true, 'was removed from the employees since'],
  [
    'terminated yesterday',
    [row({ end: '2026-11-29' })],
    false,
    'was terminated: the employment ended on 2026-11-29',
  ],
  ['with an end today', [row({ end: today })], false, 'has an end date (2026-11-30)'],
  ['with an end next year', [row({ end: '2027-05-01' })], false, 'has an end date (2027-05-01)'],
  [
    'in another organization',
    [row({ organization: 'Care' }), row({ id: 'eve' })],
    false,
    'is not in defaultOrganization, and is there since 2026-01-01',
  ],
  [
    'moved today',
    [row({ end: '2026-11-29' }), row({ organization: 'Care', start: today })],
    true,
    'has moved to another organization since it was saved',
  ],
  [
    'moving tomorrow',
    [row({ end: today }), row({ organization: 'Care', start: '2026-12-01' })],
    false,
    'warning: defaultEmployee moves to another organization on 2026-12-01',
  ],
  [
    'moving in 30 days',
    [row({ end: '2026-12-29' }), row({ organization: 'Care', start: '2026-12-30' })],
    false,
    'warning: defaultEmployee moves',
  ],
  [
    'moving in 31 days',
    [row({ end: '2026-12-30' }), row({ organization: 'Care', start: '2026-12-31' })],
    false,
    'valid',
  ],
  [
    'away before the move',
    [row({ end: today }), row({ organization: 'Care', start: '2026-12-02' })],
    false,
    'has an end date (2026-11-30)',
  ],
  [
    'moving, and then ending',
    [row({ end: today }), row({ organization: 'Care', start: '2026-12-01', end: '2027-01-01' })],
    false,
    'has an end date (2027-01-01)',
  ],
  ['in one organization, in two rows', [row({ end: today }), row({ start: '2026-12-01' })], false, 'valid'],
])('%s', (_, rows, wasSaved, words) => {
  expect(judged(rows, wasSaved)).toContain(words);
  // A next step.
  if (!['valid'].includes(words)) expect(judged(rows, wasSaved)).toMatch(/(: |; |so )[a-z]/);
});

const file = (text: string) => `employees:\n${text}`;
const one = (more: string) =>
  `  - {id: ada, organization: Sales, worker: ${worker(1)}, start: 2026-01-01${more}}\n`;

test('rows are read, by their start', () => {
  const text = file(`  - {id: bob, organization: Sales, start: 2026-02-01}\n${one(', end: 2026-03-01')}`);
  expect(readEmployees(text)).toEqual({
    rows: [
      { ...ada, worker: worker(1), start: '2026-01-01', end: '2026-03-01' },
      { id: 'bob', organization: 'Sales', start: '2026-02-01' },
    ],
  });
});

test.each([
  ['employees: 3', 'must be a list', 1],
  ['people: []', 'a field that employees do not have', 1],
  [file('  - {id: ada, organization: Sales, start: 3}'), 'must be a day', 2],
  [file(one('').replace('2026-01-01', '2026-02-30')), 'must be a day of the calendar', 2],
  [file(one(', end: soon')), 'must be a day of the calendar', 2],
  [file(one(', end: 2025-12-31')), 'end is before the start', 2],
  [file(one('').replace('id: ada', 'id: 7')), 'in quotation marks where it is a number', 2],
  [file(one('').replace('WK', 'WT')), 'must be WK and 32', 2],
  [file(one(', wage: 9')), 'a field that employees do not have', 2],
  [file(`${one('')}${one('').replace('ada', 'bob')}`), 'two employees have the same worker', 3],
  [file(`${one('')}${one('').replace('Sales', 'Care')}`), 'in two organizations', 3],
  ['employees: [', 'not valid YAML', 1],
])('%j is refused with its line', (text, words, line) => {
  const read = readEmployees(text);
  const faults = 'faults' in read ? read.faults : [];
  expect(faults.join('\n')).toContain(words);
  expect(faults.join('\n')).toContain(`(line ${line},`);
  expect(faults.join('\n')).not.toMatch(/ada|Sales|WK0/);
});

test.each([
  ['Europe/Madrid', '2026-12-31T22:59:59Z', '2026-12-31'],
  ['Europe/Madrid', '2026-12-31T23:00:00Z', '2027-01-01'],
  // The last hour of the day comes twice.
  ['America/Sao_Paulo', '2018-02-18T01:59:59Z', '2018-02-17'],
  ['America/Sao_Paulo', '2018-02-18T02:30:00Z', '2018-02-17'],
  ['America/Sao_Paulo', '2018-02-18T03:00:00Z', '2018-02-18'],
  // The day begins at 01:00.
  ['America/Sao_Paulo', '2018-11-04T02:59:59Z', '2018-11-03'],
  ['America/Sao_Paulo', '2018-11-04T03:00:00Z', '2018-11-04'],
  ['Australia/Lord_Howe', '2026-04-04T13:00:00Z', '2026-04-05'],
  ['Australia/Lord_Howe', '2026-04-05T13:29:59Z', '2026-04-05'],
  ['Australia/Lord_Howe', '2026-04-05T13:30:00Z', '2026-04-06'],
  ['America/New_York', '2026-03-08T04:59:59Z', '2026-03-07'],
  ['America/New_York', '2026-03-09T03:59:59Z', '2026-03-08'],
  ['Pacific/Kiritimati', '2026-12-31T10:00:00Z', '2027-01-01'],
])('in %s it is at %s the %s', (zone, at, day) => expect(dayIn(zone, new Date(at))).toBe(day));

describe('the file', () => {
  const taskRouter = {
    workspaceSid: `WS${'0'.repeat(32)}` as WorkspaceSid,
    worker: jest.fn(async (sid: WorkerSid) =>
      sid === worker(1) ? { sid, friendlyName: 'ada', attributes: '{}' } : undefined,
    ),
  };
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'employees-'));
    path = join(folder, 'employees.yaml');
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const read = () => createEmployees({ file: path, taskRouter: () => taskRouter });
  const good = (found: Employees | { faults: string[] }) => found as Employees;

  test('says whose worker it was, by the days of the time zone', () => {
    const moved = one('').replace('Sales', 'Care').replace('2026-01-01', '2026-07-01');
    writeFileSync(path, file(`${one(', end: 2026-06-30')}${moved}`), { mode: 0o600 });
    const employees = good(read()());
    const at = (time: string) =>
      employees.employeeOf(worker(1), new Date(time), 'Europe/Madrid')?.organization;
    expect(at('2026-06-30T21:59:59Z')).toBe('Sales');
    expect(at('2026-06-30T22:00:00Z')).toBe('Care');
    expect(at('2025-12-31T22:59:59Z')).toBeUndefined();
    expect(employees.employeeOf(worker(2), new Date('2026-06-30'), 'UTC')).toBeUndefined();
  });

  test('is read again when it changes; one that others may write is refused', () => {
    writeFileSync(path, file(one('')), { mode: 0o600 });
    const employees = read();
    const first = employees();
    expect(employees()).toBe(first);
    writeFileSync(path, file(one(', end: 2026-01-05')), { mode: 0o600 });
    expect(good(employees()).employeeOf(worker(1), new Date('2026-02-01'), 'UTC')).toBeUndefined();
    chmodSync(path, 0o622);
    expect(employees()).toEqual({ faults: [expect.stringContaining('chmod go-w')] });
  });

  test("without it TaskRouter's workers are the employees, in the workspace", async () => {
    const employees = good(read()());
    const { workspaceSid: organization } = taskRouter;
    expect(employees.employeeOf(worker(5), new Date(), 'UTC')).toEqual({ id: worker(5), organization });
    const judge = async (defaultEmployee: string, org: string = organization, wasSaved = false) => {
      const { settings } = readSettings({ defaultOrganization: org, defaultEmployee });
      return wordsOf(await employees.judge(settings, new Date(), wasSaved));
    };
    expect(await judge(worker(1))).toBe('valid');
    expect(await judge(worker(2))).toContain('is not the SID of a worker');
    expect(await judge(worker(2), organization, true)).toContain(
      'was deleted from TaskRouter since it was saved',
    );
    expect(await judge('ada')).toContain('is not the SID of a worker');
    expect(await judge(worker(1), 'Sales')).toContain('must be the SID of the workspace');
    taskRouter.worker.mockRejectedValueOnce(new Error('away'));
    await expect(judge(worker(1))).rejects.toThrow('away');
  });
});
