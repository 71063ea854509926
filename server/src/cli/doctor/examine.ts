import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { CustodyError } from '@flex-custody/core';
import { inTime } from '@flex-custody/net';
import type { Config } from '../../config.ts';
import { type Check, checks } from './checks.ts';
import { advice, asStep, diagnosis, type Finding, fixFirst } from './finding.ts';
import { type DoctorOptions, type Scene, setScene } from './scene.ts';

/** Limit of each check; all checks run at the same time, and a slow machine opens the embedded database in ten seconds. */
const limitMs = 20_000;

export interface Examination {
  /** @throws CustodyError `config_invalid` */
  load: () => Config | Promise<Config>;
  options?: DoctorOptions;
  those?: readonly Check[];
  limitMs?: number;
  /** The file that is read in addition to the environment; `.env` by default. */
  envFile?: string;
  setScene?: (config: Config, options: DoctorOptions) => Scene;
}

/** Checks the environment first, since all other checks need it; then those at the same time. */
export async function examine(parts: Examination): Promise<Finding[]> {
  const { load, options = {}, those = checks } = parts;
  const environment = { group: 'Environment', name: 'environment' };
  let config: Config;
  try {
    config = await load();
  } catch (error) {
    const lines = error instanceof CustodyError ? error.message.split('\n') : [String(error)];
    return [...lines.map(faultOf), ...withoutFile(parts.envFile ?? '.env')].map((found) => ({
      ...environment,
      ...found,
    }));
  }
  const scene = (parts.setScene ?? setScene)(config, options);
  const findings = await Promise.all(
    those.map(async ({ group, name, look }): Promise<Finding> => {
      try {
        const ms = parts.limitMs ?? limitMs;
        const seen = await inTime(look(scene), ms, () => lateAnswer(ms));
        return typeof seen === 'string'
          ? { group, name, level: 'ok', detail: seen, next: '' }
          : { group, name, level: 'note', ...seen };
      } catch (error) {
        return { group, name, level: 'fix', ...diagnosis(error) };
      }
    }),
  );
  return [
    { ...environment, level: 'ok', detail: 'complete', next: '' },
    ...notingWhatFollows(findings, those).map((found) => ({ ...found, next: asStep(found.next) })),
  ];
}

/** A fault that may follow from another one becomes a note: the other one must be fixed first. */
function notingWhatFollows(findings: readonly Finding[], those: readonly Check[]): Finding[] {
  const faults = new Set(findings.filter(({ level }) => level === 'fix').map(({ name }) => name));
  return findings.map((finding, at) => {
    const cause = those[at]?.after?.find((name) => faults.has(name));
    if (finding.level !== 'fix' || cause === undefined) return finding;
    return { ...finding, level: 'note', next: fixFirst(cause) };
  });
}

type Found = Pick<Finding, 'level' | 'detail' | 'next'>;

/** A line of the configuration's error: what is wrong, and after a colon what to do. */
function faultOf(line: string): Found {
  const [detail = line, ...rest] = line.split(': ');
  const next = rest.join(': ') || 'correct it: docs/configuration.md describes it';
  return { level: 'fix', detail, next: asStep(next) };
}

/** Most often the command was run in another folder than the host. */
function withoutFile(envFile: string): Found[] {
  if (existsSync(envFile)) return [];
  const next = "Run this in the folder that has the host's .env, or set its variables here.";
  return [{ level: 'note', detail: `there is no file ${resolve(envFile)}`, next }];
}

const lateAnswer = (ms: number) =>
  advice(`no answer within ${ms / 1_000} s`, 'check the network, proxy and firewall on the way');
