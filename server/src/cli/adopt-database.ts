import { CustodyError } from '@flex-custody/core';
import type { Command } from 'commander';
import { createAudit, operator } from '../access/audit.ts';
import { createCatalog } from '../catalog/catalog.ts';
import { type Config, loadConfig } from '../config.ts';
import { adoptDatabase, bindDatabase, differencesFrom } from '../custody/bind.ts';
import { type Difference, lineOf } from '../custody/differences.ts';
import { type CustodyConfig, custodyFacts } from '../custody/facts.ts';
import { type Db, migrate, openDatabase } from '../db.ts';
import { loadSigning } from '../signing/load.ts';
import { ask } from './ask.ts';

interface Flags {
  yes?: boolean;
  json?: boolean;
}

export interface AdoptParts {
  /** Brought up to date. */
  db: Db;
  config: CustodyConfig;
  print(text: string): void;
  /** Undefined where nobody can be asked. */
  confirm: ((question: string) => Promise<boolean>) | undefined;
}

/**
 * Shows how this environment differs from what the database is bound to, asks, and binds the database to it.
 * @returns false where it differs and was left as it was
 * @throws CustodyError `custody_changed`
 */
export async function adopt({ db, config, print, confirm }: AdoptParts, flags: Flags): Promise<boolean> {
  const facts = custodyFacts(config);
  const found = await differencesFrom(db, facts);
  if (found.length === 0) await bindDatabase(db, facts);
  if (!flags.json) print(found.map(lineOf).join('\n') || 'The database is bound to this environment.');
  const agreed = found.length > 0 && (flags.yes || (!flags.json && (await isAgreed(confirm, print))));
  if (agreed) {
    await adoptDatabase(db, facts, found, (inner) =>
      createAudit(inner).record({
        viewer: operator,
        action: 'adopt-database',
        recordingSid: facts.accountSid,
        allowed: true,
        reason: found.map(changeOf).join('; '),
      }),
    );
    // What a key that is no longer listed has signed is signed again by the host.
    if (config.signing && found.some(({ what }) => what === 'signing keys'))
      await createCatalog(db, facts.accountSid).forgetSigners(loadSigning(config.signing).keyIds);
  }
  if (flags.json) print(JSON.stringify({ differences: found, adopted: agreed === true }));
  else if (agreed) print('The database is bound to this environment now; the audit log says so.');
  return agreed === true || found.length === 0;
}

const changeOf = ({ what, before, now }: Difference): string => `${what}: ${before} -> ${now}`;

/** @throws CustodyError `data_dir_locked` while a host has the embedded database: it works by the binding */
export async function openForAdoption(database: Config['database']): Promise<Db> {
  try {
    return await openDatabase(database);
  } catch (cause) {
    if (!(cause instanceof CustodyError && cause.code === 'data_dir_locked')) throw cause;
    throw new CustodyError(
      cause.code,
      `a running host works by the binding: stop it first; ${cause.message}`,
      {
        cause,
      },
    );
  }
}

async function isAgreed(confirm: AdoptParts['confirm'], print: AdoptParts['print']): Promise<boolean> {
  if (confirm) return confirm('Bind the database to this environment? [y/N] ');
  print('Nothing was written: nobody can be asked here, so add --yes.');
  return false;
}

export function registerAdoptDatabase(program: Command): void {
  program
    .command('adopt-database')
    .description(
      'bind the database to this environment: account, bucket, storage mode, keys, caller secret; shows the difference and asks first',
    )
    .option('--yes', 'write without asking')
    .option('--json', '{differences, adopted}; asks nobody, so writes with --yes alone')
    .action(async (flags: Flags) => {
      const config = loadConfig();
      const print = (text: string) => console.log(text);
      const confirm = process.stdin.isTTY ? ask : undefined;
      const db = await openForAdoption(config.database);
      try {
        await migrate(db);
        if (!(await adopt({ db, config, print, confirm }, flags))) process.exitCode = 1;
      } finally {
        await db.close();
      }
    });
}
