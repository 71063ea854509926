import { CustodyError } from '@flex-custody/core';
import type { Command } from 'commander';
import { createAudit, operator } from '../access/audit.ts';
import { createCatalog } from '../catalog/create-catalog.ts';
import type { Config } from '../config.ts';
import { adoptDatabase, bindDatabase, differencesFrom } from '../custody/bind.ts';
import { callerKeyId } from '../custody/caller-secret.ts';
import { type Difference, lineOf } from '../custody/differences.ts';
import { type CustodyConfig, custodyFacts } from '../custody/facts.ts';
import type { Db } from '../db/db.ts';
import { migrate } from '../db/migrate.ts';
import { openDatabase } from '../db/open.ts';
import { loadWithSecrets } from '../secrets/open-config.ts';
import { loadSigning } from '../signing/load.ts';
import { ask } from './ask.ts';

interface Flags {
  yes?: boolean;
  sameCallerSecret?: boolean;
  json?: boolean;
}

export interface AdoptDeps {
  /** Migrated to this release. */
  db: Db;
  config: CustodyConfig;
  print(text: string): void;
  /** Asks at the terminal; undefined without one. */
  confirm: ((question: string) => Promise<boolean>) | undefined;
}

/**
 * Shows how this environment differs from what the database is bound to, asks, and binds the database to it.
 * @returns false if it differs and was not changed
 * @throws CustodyError `custody_changed`
 */
export async function adopt({ db, config, print, confirm }: AdoptDeps, flags: Flags): Promise<boolean> {
  const facts = custodyFacts(config);
  const found = await differencesFrom(db, facts);
  if (found.length === 0) await bindDatabase(db, facts);
  if (!flags.json) print(found.map(lineOf).join('\n') || 'The database is bound to this environment.');
  const agreed =
    found.length > 0 &&
    (flags.yes ||
      (!flags.json && (await isAgreed(confirm, print, 'Bind the database to this environment? [y/N] '))));
  if (agreed) {
    await adoptDatabase(db, facts, found, (inner) =>
      createAudit(inner).record({
        viewer: operator,
        action: 'adopt-database',
        subject: { kind: 'account', sid: facts.accountSid },
        allowed: true,
        reason: found.map(changeOf).join('; '),
      }),
    );
    // The host signs again what a key signed that is no longer listed.
    if (config.signing && found.some(({ what }) => what === 'signing keys'))
      await createCatalog(db, facts.accountSid).forgetSigners(loadSigning(config.signing).keyIds);
  }
  if (flags.json) print(JSON.stringify({ differences: found, adopted: agreed === true }, undefined, 2));
  else if (agreed) print('The database is now bound to this environment; the audit log has an entry.');
  return agreed === true || found.length === 0;
}

const changeOf = ({ what, before, now }: Difference): string => `${what}: ${before} -> ${now}`;

/**
 * Names the current caller secret for the callers that earlier releases stored without the name of their secret. This can
 * release recordings from a hold, so the operator is asked, and the audit log has an entry.
 * @returns false if the operator did not agree
 * @throws CustodyError `caller_secret_missing`
 */
export async function nameCallers({ db, config, print, confirm }: AdoptDeps, flags: Flags): Promise<boolean> {
  if (config.callerSecret === undefined)
    throw new CustodyError(
      'caller_secret_missing',
      'set CUSTODY_CALLER_SECRET to the one under which the callers were stored',
    );
  const keyId = callerKeyId(config.callerSecret);
  const { keys } = await createCatalog(db, config.accountSid).callerKeys();
  const unnamed = keys.find((key) => key.keyId === undefined)?.recordings ?? 0;
  if (!flags.json)
    print(
      `${unnamed} recordings have a caller whose secret is not named; the current one is ${keyId}. If any was stored under another one, holds would miss it.`,
    );
  const question = 'Has CUSTODY_CALLER_SECRET always been the current one? [y/N] ';
  if (!flags.yes && (flags.json || !(await isAgreed(confirm, print, question)))) return false;
  const named = await db.transaction(async (inner) => {
    await createAudit(inner).record({
      viewer: operator,
      action: 'adopt-database',
      subject: { kind: 'account', sid: config.accountSid },
      allowed: true,
      reason: `callers without the name of a secret: ${keyId}`,
    });
    return createCatalog(inner, config.accountSid).nameCallers(keyId);
  });
  print(
    flags.json
      ? JSON.stringify({ named, keyId }, undefined, 2)
      : `The secret is now named in ${named} recordings; the audit log has an entry.`,
  );
  return true;
}

/** @throws CustodyError `data_dir_locked` while a host has the embedded database, since that host uses the binding */
export async function openForAdoption(database: Config['database']): Promise<Db> {
  try {
    return await openDatabase(database);
  } catch (cause) {
    if (!(cause instanceof CustodyError && cause.code === 'data_dir_locked')) throw cause;
    throw new CustodyError(
      cause.code,
      `stop every host before the database is bound to other settings; ${cause.message}`,
      {
        cause,
      },
    );
  }
}

async function isAgreed(
  confirm: AdoptDeps['confirm'],
  print: AdoptDeps['print'],
  question: string,
): Promise<boolean> {
  if (confirm) return confirm(question);
  print('Nothing written: there is no terminal to ask at, so add --yes.');
  return false;
}

export function registerAdoptDatabase(program: Command): void {
  program
    .command('adopt-database')
    .description(
      'bind the database to this environment: account, bucket, storage mode, keys, caller secret; shows the difference and asks first',
    )
    .option(
      '--same-caller-secret',
      'state that CUSTODY_CALLER_SECRET never changed: callers that earlier releases stored are under the current one',
    )
    .option('--yes', 'write without asking')
    .option('--json', '{differences, adopted}; does not ask, so it writes only with --yes')
    .action(async (flags: Flags) => {
      const config = await loadWithSecrets(
        ['accountSid', 'store', 'keyConfig', 'callerSecret', 'signing', 'database'],
        // A host that has the database is refused below.
        { otherwise: async () => undefined },
      );
      const print = (text: string) => console.log(text);
      const confirm = process.stdin.isTTY ? ask : undefined;
      const db = await openForAdoption(config.database);
      try {
        await migrate(db);
        const deps = { db, config, print, confirm };
        if (flags.sameCallerSecret) await bindDatabase(db, custodyFacts(config));
        const agreed = await (flags.sameCallerSecret ? nameCallers : adopt)(deps, flags);
        if (!agreed) process.exitCode = 1;
      } finally {
        await db.close();
      }
    });
}
