import { isDeepStrictEqual } from 'node:util';
import { readOwnFile, stampOf } from './employees.ts';
import { lineOf } from './fault.ts';
import type { DataSource } from './fields.ts';
import { type ReadSettings, readSettings } from './read.ts';
import { secretFaults } from './secret-faults.ts';
import type { Version, Versions } from './versions.ts';
import { readSettingsFile } from './yaml.ts';

export interface Current {
  version: number;
  settings: DataSource;
}

export interface CurrentDeps {
  /** The file that rules; undefined: the database does. */
  file: string | undefined;
  versions: Versions;
  check(given: unknown): Promise<ReadSettings>;
  /** Writes the audit entry of a version that the file makes. */
  recordFile(): Promise<void>;
  /** What is wrong with what is stored, or with the file; none: all is well again. */
  report(faults: readonly string[]): Promise<void>;
  /** Epoch ms. */
  now(): number;
}

/** How long another process's change may be unseen. */
const freshMs = 5_000;

/** The settings that apply. Broken ones change nothing: the last good ones still apply, and are reported. */
export function createCurrent(deps: CurrentDeps): { read(): Promise<Current | undefined>; forget(): void } {
  const { file, now } = deps;
  let last: Current | undefined;
  let readAt: number | undefined;
  let stamp: string | undefined;
  let reading: Promise<Current | undefined> | undefined;
  const isFresh = () =>
    readAt !== undefined &&
    now() - readAt < freshMs &&
    (file === undefined || (stampOf(file) ?? 'none') === stamp);
  const load = async (): Promise<Current | undefined> => {
    const seen = file === undefined ? undefined : (stampOf(file) ?? 'none');
    last = file === undefined ? await fromDatabase(deps, last) : await fromFile(file, deps, last);
    stamp = seen;
    readAt = now();
    return last;
  };
  return {
    async read() {
      if (isFresh()) return last;
      reading ??= load().finally(() => {
        reading = undefined;
      });
      return reading;
    },
    forget() {
      readAt = undefined;
    },
  };
}

async function fromDatabase(
  { versions, report }: CurrentDeps,
  last: Current | undefined,
): Promise<Current | undefined> {
  const row = await versions.current();
  if (row === undefined || row.version === last?.version) return last;
  const { settings, faults } = readSettings(row.settings);
  await report(faults.map((fault) => `version ${row.version}: ${lineOf(fault)}`));
  return faults.length === 0 ? { version: row.version, settings } : last;
}

async function fromFile(
  file: string,
  { versions, check, recordFile, report }: CurrentDeps,
  last: Current | undefined,
): Promise<Current | undefined> {
  const read = await readFile(file, check);
  const row = await versions.current();
  if ('faults' in read) {
    await report(read.faults);
    return last ?? goodOf(row);
  }
  await report([]);
  if (row && isDeepStrictEqual(goodOf(row)?.settings, read.settings))
    return { version: row.version, settings: read.settings };
  // Another host with the same file may be first: its version is then read with the next look.
  await recordFile();
  const version = await versions.append({ settings: read.settings, by: `file ${file}` }, row?.version ?? 0);
  return { version, settings: read.settings };
}

function goodOf(row: Version | undefined): Current | undefined {
  if (!row) return undefined;
  const { settings, faults } = readSettings(row.settings);
  return faults.length === 0 ? { version: row.version, settings } : undefined;
}

/** The settings of a file, or the lines of what is wrong with it. */
export async function readFile(
  file: string,
  check: (given: unknown) => Promise<ReadSettings>,
): Promise<{ settings: DataSource } | { faults: string[] }> {
  const text = readOwnFile(file);
  if (typeof text !== 'string') return { faults: [text.fault] };
  const yaml = readSettingsFile(text);
  if (typeof yaml === 'string') return { faults: [`${file}: ${yaml}`] };
  const { settings, faults } = await check(yaml.given);
  const lines = [...secretFaults(yaml.given), ...faults].map((fault) => `${file}: ${yaml.lineOf(fault)}`);
  return lines.length > 0 ? { faults: lines } : { settings };
}
