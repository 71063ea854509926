import { createCatalog } from '../catalog/create-catalog.ts';
import type { Config } from '../config.ts';
import type { BrevoConfig } from '../connectors/brevo/config/brevo-config.ts';
import { openBrevoConfig } from '../connectors/brevo/config/open.ts';
import { bindDatabase, readCustody } from '../custody/bind.ts';
import { custodyFacts } from '../custody/facts.ts';
import type { Db } from '../db/db.ts';
import { encryptIt, inTheClear } from '../db/in-the-clear.ts';
import { migrate } from '../db/migrate.ts';
import { openDatabase } from '../db/open.ts';
import type { Logger } from '../log.ts';
import { createPolicies } from '../retention/policies.ts';
import type { SigningIdentity } from '../signing/identity.ts';
import { openSigning } from '../signing/load.ts';
import { applyAtStart, readStartPolicy } from './policy.ts';

/**
 * Opens the database, migrates it and checks that it belongs to this environment: signing identity, custody, policy.
 * @param assemble makes the host of it; if anything fails, the database is closed
 * @param opened the database, where it is open already
 */
export async function withDatabase<T>(
  config: Config,
  log: Logger,
  assemble: (db: Db, signing: SigningIdentity, brevo: BrevoConfig | undefined) => T,
  opened?: Db,
): Promise<T> {
  let db = opened;
  try {
    // Reads the policy at the start, since a hold that cannot be read would keep nothing when an erasure begins.
    const policy = readStartPolicy(config.policyFile);
    const brevo = openBrevoConfig(config);
    await warnOfOpenNetwork(config, log);
    db ??= await openDatabase(config.database);
    await migrate(db);
    const signing = await signingOf(config, log, db);
    await bindDatabase(db, custodyFacts(config, signing.thumbprints));
    if (policy) await applyAtStart(createPolicies(db, config.accountSid), policy, log);
    return assemble(db, signing, brevo);
  } catch (error) {
    await db?.close();
    throw error;
  }
}

async function warnOfOpenNetwork(config: Config, log: Logger): Promise<void> {
  const openHost = 'url' in config.database ? await inTheClear(config.database.url) : undefined;
  if (openHost !== undefined)
    log.warn(
      { event: 'database.in_the_clear', host: openHost },
      `the database's rows and password cross the network unencrypted: ${encryptIt}`,
    );
}

/** The identity that this custody's hosts share; made if no host has ever had one. */
async function signingOf(config: Config, log: Logger, db: Db): Promise<SigningIdentity> {
  const isFirst = async () => {
    const known = (await readCustody(db))?.signingKeys ?? [];
    return known.length === 0 && !(await createCatalog(db, config.accountSid).everSigned());
  };
  const { signing, made } = await openSigning(config.signing, isFirst);
  if (made !== undefined)
    log.warn(
      { event: 'signing.made', file: made },
      'the host made the signing key: back it up with the other keys',
    );
  return signing;
}
