import { CustodyError } from '@flex-custody/core';
import { rightsFaultOf } from '../../config/private-file.ts';
import { readPolicy, readPolicyFile } from '../../retention/policy.ts';
import { advice, note, type Seen, unknownBefore } from './finding.ts';
import { orUndefined, type Scene } from './scene.ts';

/** Whether the policy in force can be read and its holds evaluated, and the file that a start would apply is valid. */
export async function policy(scene: Scene): Promise<Seen> {
  const { policyFile, callerSecret } = scene.config;
  const file = policyFile === undefined ? undefined : digestOf(policyFile);
  const health = await orUndefined(scene.health());
  const found = health === 'locked' ? undefined : health;
  const inForce = found?.version === 0 ? null : found?.work?.policy;
  if (inForce === undefined) return unknownBefore('database');
  if (inForce === null) {
    if (file === undefined) return 'none: all recordings are kept';
    return note(
      'none is in force yet: the host applies the file at its start',
      `flex-custody policy apply ${policyFile}`,
    );
  }
  const { says, digest, appliedBy } = inForce;
  if (!says)
    throw advice(
      'this release cannot read the policy in force, so nothing is erased',
      'run the newer release, or flex-custody policy apply FILE --yes',
    );
  if (callerSecret === undefined && says.namesCallers)
    throw advice(
      'a hold names callers, and CUSTODY_CALLER_SECRET is not set: every recording is held',
      'set CUSTODY_CALLER_SECRET to the one under which the callers were stored; openssl rand -base64 32 makes a new one',
    );
  const is = `${says.rules} rules, ${says.holds} holds, applied by ${appliedBy}`;
  if (file === undefined || file === digest) return is;
  return note(
    `${is}; CUSTODY_POLICY_FILE has another policy, which the next start applies or refuses`,
    `flex-custody policy apply ${policyFile} --dry-run`,
  );
}

/** Checks the policy file. A user who can write it decides, from the next start on, what is erased. */
function digestOf(file: string): string {
  const fault = rightsFaultOf(file, 'write');
  if (fault)
    throw advice(`${file} ${fault.is}: they could lift holds, and the host does not start`, fault.next);
  try {
    return readPolicy(readPolicyFile(file)).digest;
  } catch (error) {
    const detail = error instanceof CustodyError ? (error.message.split('\n')[0] ?? '') : 'it cannot be read';
    throw advice(`${detail}: the host does not start with it`, `flex-custody policy check ${file}`);
  }
}

export async function twilioKeys({ config }: Scene): Promise<Seen> {
  const sids = config.twilioKeys?.sids ?? [];
  if (sids.length > 0) return `decrypts what Twilio encrypts for ${sids.join(', ')}`;
  return 'none: needed only if Voice Recording Encryption is on';
}
