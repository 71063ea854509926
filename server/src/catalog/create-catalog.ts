import type { AccountSid } from '@flex-custody/core';
import type { Db } from '../db/db.ts';
import { callerStatements } from './caller-statements.ts';
import type { Catalog } from './catalog.ts';
import { copyRates } from './copy-rates.ts';
import { dueStatements } from './due-statements.ts';
import { erasureStatements } from './erasure-statements.ts';
import { importStatements } from './import-statements.ts';
import { intakeStatements } from './intake-statements.ts';
import { keyStatements } from './key-statements.ts';
import { linkStatements } from './link-statements.ts';
import { listStatements } from './list-statements.ts';
import { lookupStatements } from './lookup-statements.ts';
import { markStatements } from './marks.ts';
import { proofStatements } from './proof-statements.ts';
import { sessionErasureStatements } from './session-erasure-statements.ts';
import { signingStatements } from './signing-statements.ts';
import { staleStatements } from './stale-statements.ts';
import { createStatements } from './statements.ts';

/** The catalog of one account. It neither reads nor changes rows of other accounts in the same database. */
export function createCatalog(db: Db, accountSid: AccountSid): Catalog {
  const statements = createStatements(db, accountSid);
  return {
    ...lookupStatements(statements),
    ...intakeStatements(statements),
    ...copyRates(statements),
    ...staleStatements(statements),
    ...proofStatements(statements),
    ...importStatements(statements),
    ...linkStatements(statements),
    ...callerStatements(statements),
    ...dueStatements(statements),
    ...erasureStatements(statements),
    ...sessionErasureStatements(statements),
    ...keyStatements(statements),
    ...signingStatements(statements),
    ...listStatements(statements),
    ...markStatements(statements),
  };
}
