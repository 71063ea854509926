import { CustodyError } from '@flex-custody/core';
import { loadPolicy } from '../../retention/policy.ts';
import { advice, type Seen } from './finding.ts';
import type { Scene } from './scene.ts';

/** Whether the policy can be read, and its holds can be told. */
export async function policy({ config }: Scene): Promise<Seen> {
  if (config.policyFile === undefined) return 'none: all recordings are kept';
  let read: ReturnType<typeof loadPolicy>;
  try {
    read = loadPolicy(config.policyFile);
  } catch (error) {
    const detail = error instanceof CustodyError ? (error.message.split('\n')[0] ?? '') : 'it cannot be read';
    throw advice(detail, 'nothing is erased until it is right: flex-custody policy check');
  }
  const { keep, holds } = read;
  if (config.callerSecret === undefined && holds.some(({ callers }) => callers.length > 0)) {
    throw advice(
      'a hold names callers, and none can be told: every recording is held',
      'set CUSTODY_CALLER_SECRET (openssl rand -base64 32), and keep it with the keys',
    );
  }
  return `${keep.rules.length} rules, ${holds.length} holds`;
}

export async function twilioKeys({ config }: Scene): Promise<Seen> {
  const sids = config.twilioKeys?.sids ?? [];
  if (sids.length > 0) return `opens what Twilio seals for ${sids.join(', ')}`;
  return 'none: needed where Voice Recording Encryption is on';
}
