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
  let changes = 0;
  const isFresh = () =>
    readAt !== undefined &&
    // The clock may have been set back.
    Math.abs(now() - readAt) < freshMs &&
    (file === undefined || (stampOf(file) ?? 'none') === stamp);
  const load = async (): Promise<Current | undefined> => {
    const before = changes;
    const seen = file === undefined ? undefined : (stampOf(file) ?? 'none');
    const found = file === undefined ? await fromDatabase(deps, last) : await fromFile(file, deps, last);
    // What this process has changed meanwhile may be missing in it.
    if (changes === before) [last, stamp, readAt] = [found, seen, now()];
    return found;
  };
  return {
    async read() {
      if (isFresh()) return last;
      if (reading) return reading;
      const mine = load().finally(() => {
        if (reading === mine) reading = undefined;
      });
      reading = mine;
      return mine;
    },
    forget() {
      changes += 1;
      readAt = undefined;
      reading = undefined;
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
  return kept(file, read.settings, row, { versions, recordFile });
}

/** The version that has these settings; makes one if the newest has others. */
async function kept(
  file: string,
  settings: DataSource,
  row: Version | undefined,
  { versions, recordFile }: Pick<CurrentDeps, 'versions' | 'recordFile'>,
): Promise<Current> {
  if (row && isDeepStrictEqual(goodOf(row)?.settings, settings)) return { version: row.version, settings };
  await recordFile();
  try {
    const version = await versions.append({ settings, by: `file ${file}` }, row?.version ?? 0);
    return { version, settings };
  } catch (error) {
    // Another process with the same file was first.
    const newer = await versions.current();
    if (newer && isDeepStrictEqual(goodOf(newer)?.settings, settings))
      return { version: newer.version, settings };
    throw error;
  }
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
