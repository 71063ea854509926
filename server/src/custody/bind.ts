import { type AccountSid, CustodyError, type StorageMode } from '@flex-custody/core';
import type { Db } from '../db/db.ts';
import { custodyDiffers, type Difference, differences } from './differences.ts';
import type { CustodyFacts } from './facts.ts';

interface Row {
  account_sid: AccountSid;
  bucket: string;
  storage_mode: StorageMode;
  signing_keys: string[];
  caller_secret: string | null;
  recording_keys: string[];
}

const toFacts = (row: Row): CustodyFacts => ({
  accountSid: row.account_sid,
  bucket: row.bucket,
  storageMode: row.storage_mode,
  signingKeys: row.signing_keys,
  ...(row.caller_secret !== null && { callerSecret: row.caller_secret }),
  recordingKeys: row.recording_keys,
});

/** The custody to which the database is bound; undefined before the first start. */
export async function readCustody(db: Db): Promise<CustodyFacts | undefined> {
  const [row] = await db.query<Row>('SELECT * FROM custody');
  return row && toFacts(row);
}

/** The same with a lock: until the transaction ends, no other process changes it. */
async function lockCustody(db: Db): Promise<CustodyFacts | undefined> {
  const [row] = await db.query<Row>('SELECT * FROM custody FOR UPDATE');
  return row && toFacts(row);
}

const valuesOf = (facts: CustodyFacts) => [
  facts.accountSid,
  facts.bucket,
  facts.storageMode,
  facts.signingKeys ?? [],
  facts.callerSecret ?? null,
  facts.recordingKeys,
];

/**
 * Binds the database to this custody at the first start, and compares it at each later one. New keys are added.
 * @throws CustodyError `custody_differs`, with what differs and what to do
 */
export async function bindDatabase(db: Db, facts: CustodyFacts): Promise<void> {
  await db.transaction(async (inner) => {
    const bound = (await lockCustody(inner)) ?? (await claim(inner, facts));
    const found = differences(bound, facts);
    if (found.length > 0) throw custodyDiffers(found);
    await write(inner, additions(bound, facts), bound);
  });
}

/** How this environment differs from the database, for an operator who moves it. A new database does not differ. */
export async function differencesFrom(db: Db, facts: CustodyFacts): Promise<Difference[]> {
  const bound = await readCustody(db);
  if (bound) return differences(bound, facts);
  const foreign = await foreignAccount(db, facts.accountSid);
  return foreign === undefined ? [] : [ofAnother(foreign, facts)];
}

/**
 * Binds the database to this environment instead of the earlier one.
 * @param shown the differences to which the operator agreed
 * @param record writes the audit entry, in the same transaction
 * @throws CustodyError `custody_changed` if the differences have changed since
 */
export async function adoptDatabase(
  db: Db,
  facts: CustodyFacts,
  shown: readonly Difference[],
  record: (inner: Db) => Promise<void>,
): Promise<void> {
  await db.transaction(async (inner) => {
    const bound = await lockCustody(inner);
    if (JSON.stringify(await differencesFrom(inner, facts)) !== JSON.stringify(shown))
      throw new CustodyError(
        'custody_changed',
        'another process bound the database meanwhile: run the command again',
      );
    if (bound) await write(inner, replaced(additions(bound, facts), facts, shown), bound);
    else await insert(inner, facts);
    await record(inner);
  });
}

/**
 * A database of an earlier release has no row: its recordings show its account. If two processes start at the same time, one
 * writes the row, and the other compares itself with it.
 */
async function claim(db: Db, facts: CustodyFacts): Promise<CustodyFacts> {
  const foreign = await foreignAccount(db, facts.accountSid);
  if (foreign !== undefined) throw custodyDiffers([ofAnother(foreign, facts)]);
  await insert(db, facts);
  const bound = await lockCustody(db);
  if (!bound) throw new Error('the row of the table custody is missing');
  return bound;
}

async function insert(db: Db, facts: CustodyFacts): Promise<void> {
  await db.query(
    `INSERT INTO custody (account_sid, bucket, storage_mode, signing_keys, caller_secret, recording_keys)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
    valuesOf(facts),
  );
}

const ofAnother = (foreign: string, { accountSid }: CustodyFacts): Difference => ({
  what: 'account',
  before: `${foreign}, whose recordings it holds`,
  now: accountSid,
});

async function foreignAccount(db: Db, accountSid: AccountSid): Promise<string | undefined> {
  const [row] = await db.query<{ account_sid: string }>(
    `SELECT account_sid FROM tallies WHERE account_sid <> $1 AND kind = 'standing'
     GROUP BY account_sid HAVING sum(n) > 0 LIMIT 1`,
    [accountSid],
  );
  return row?.account_sid;
}

const union = (known: readonly string[], now: readonly string[]): string[] => [
  ...new Set([...known, ...now]),
];

/** The row with the new keys. Keys that were left out stay: the bucket may still have objects under them. */
function additions(bound: CustodyFacts, now: CustodyFacts): CustodyFacts {
  const callerSecret = bound.callerSecret ?? now.callerSecret;
  return {
    ...bound,
    signingKeys: union(bound.signingKeys ?? [], now.signingKeys ?? []),
    ...(callerSecret !== undefined && { callerSecret }),
    recordingKeys: union(bound.recordingKeys, now.recordingKeys),
  };
}

function replaced(row: CustodyFacts, now: CustodyFacts, shown: readonly Difference[]): CustodyFacts {
  const differs = (what: Difference['what']) => shown.some((one) => one.what === what);
  const { callerSecret: _, ...others } = row;
  const callerSecret = differs('caller secret') ? now.callerSecret : row.callerSecret;
  return {
    ...others,
    accountSid: now.accountSid,
    bucket: now.bucket,
    storageMode: now.storageMode,
    ...(differs('signing keys') && now.signingKeys && { signingKeys: now.signingKeys }),
    ...(callerSecret !== undefined && { callerSecret }),
    ...((differs('recording keys') || differs('storage mode')) && { recordingKeys: now.recordingKeys }),
  };
}

/** Writes only what changed: most starts change nothing. */
async function write(db: Db, facts: CustodyFacts, before: CustodyFacts): Promise<void> {
  if (JSON.stringify(valuesOf(facts)) === JSON.stringify(valuesOf(before))) return;
  await db.query(
    `UPDATE custody SET account_sid = $1, bucket = $2, storage_mode = $3, signing_keys = $4, caller_secret = $5,
       recording_keys = $6, updated_at = now()`,
    valuesOf(facts),
  );
}
