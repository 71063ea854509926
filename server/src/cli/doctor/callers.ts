import { callerKeyId } from '../../custody/caller-secret.ts';
import { advice, type Seen } from './finding.ts';
import { orUndefined, type Scene } from './scene.ts';

/** Whether the current secret finds the stored callers. */
export async function callers({ config, health }: Scene): Promise<Seen> {
  const read = await orUndefined(health());
  const found = read === undefined || read === 'locked' ? undefined : read.work?.callers;
  if (!found) return 'not known yet';
  const { callerSecret } = config;
  const today = callerSecret === undefined ? undefined : callerKeyId(callerSecret);
  const known = found.keys.find(({ keyId }) => keyId !== undefined && keyId === today)?.recordings ?? 0;
  const unnamed = found.keys.find(({ keyId }) => keyId === undefined)?.recordings ?? 0;
  const others = found.keys.filter(({ keyId }) => keyId !== undefined && keyId !== today);
  const held = 'a hold that names callers holds each of them, and no number finds it';
  if (others.length > 0) {
    const count = others.reduce((sum, { recordings }) => sum + recordings, 0);
    throw advice(
      `${count} recordings have their caller under another secret (${others.map(({ keyId }) => keyId).join(', ')}): ${held}`,
      'restore the CUSTODY_CALLER_SECRET under which they were stored; if it is lost, erase such recordings by task or SID',
    );
  }
  if (unnamed > 0)
    throw advice(
      `${unnamed} recordings have a caller that an earlier release stored without the name of its secret: ${held}`,
      'if CUSTODY_CALLER_SECRET never changed, run flex-custody adopt-database --same-caller-secret',
    );
  return `${known} known, ${found.none} not`;
}
