import type { KeepingCatalog } from '../catalog/keeping-catalog.ts';
import type { Marks } from '../catalog/marks.ts';
import type { Kept } from '../catalog/recording-row.ts';
import type { CallerDigest } from './caller.ts';
import type { Policy } from './policy.ts';

/** Names of the marks that hold the policy and the caller secret of the last look. */
const marks: Readonly<Record<Kept, string>> = { recording: 'retention', source: 'sources' };

/**
 * Makes due again what was set aside until now. After a change of policy or caller secret, it makes everything due again,
 * because other holds apply.
 * @param all everything, even if nothing has changed
 */
export async function lookAgainOnChange(
  {
    callerDigest,
    catalog,
  }: { callerDigest?: CallerDigest; catalog: Pick<KeepingCatalog, 'lookAgain'> & Marks },
  what: Kept,
  { digest }: Pick<Policy, 'digest'>,
  all = false,
): Promise<void> {
  const before = await catalog.mark(marks[what]);
  const now = { policy: digest, callers: callerDigest?.keyId ?? 'none' };
  const isOther = before?.['policy'] !== now.policy || before['callers'] !== now.callers;
  await catalog.lookAgain(what, { all: all || isOther });
  if (isOther) await catalog.setMark(marks[what], now);
}
