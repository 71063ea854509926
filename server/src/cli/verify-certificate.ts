import { type AccountSid, asAccountSid, CustodyError } from '@flex-custody/core';
import { type Command, InvalidArgumentError } from 'commander';
import type { JWK } from 'jose';
import { loadPartOfConfig } from '../config.ts';
import {
  type Certificate,
  certificateType,
  type ErasedRecording,
  namedKey,
  readCertificate,
  verifyCertificate,
} from '../retention/certificate.ts';
import type { SigningIdentity } from '../signing/identity.ts';
import { loadSigning } from '../signing/load.ts';
import { readText } from './file-input.ts';
import { forTerminal } from './for-terminal.ts';
import { printJson, table } from './output.ts';

interface Flags {
  key?: string;
  account?: AccountSid;
  json?: boolean;
}

/** What is known of a certificate whose signature was verified. */
export interface Verified {
  certificate: Certificate;
  /** The key id in the certificate's header. */
  keyId: string;
  /** Whether this host lists that key; absent if this environment has no host's keys. */
  isListed?: boolean;
  /** The account it should be for: from the option, or from the environment; absent without either. */
  expected?: AccountSid;
}

export function registerVerify(certificates: Command): void {
  certificates
    .command('verify')
    .description(
      'verify a certificate, without a host, and print its contents; exit code 1 if it is for another account',
    )
    .argument('<file>', 'file with the signed text; - is standard input')
    .option('--key <file>', "the public key as a JWK; by default this host's own keys")
    .option('--account <sid>', 'the account it should be for; by default the configured one', accountOf)
    .option('--json', '{certificate, keyId, isListed?, expected?, isOfExpected?}')
    .action(async (file: string, { key, account, json }: Flags) => {
      const jws = (await readText(file)).trim();
      const expected = account ?? accountHere();
      const verified: Verified = {
        ...(key
          ? await byKey(jws, await jwkIn(key), orUndefined(signingHere))
          : await byThisHost(jws, signingHere())),
        ...(expected && { expected }),
      };
      const isOther = expected !== undefined && expected !== verified.certificate.iss;
      if (json) printJson({ ...verified, ...(expected && { isOfExpected: !isOther }) });
      else console.log(certificateText(verified));
      for (const line of doubts(verified)) console.error(line);
      if (isOther) process.exitCode = 1;
    });
}

/** Undefined where this environment names no account: then there is nothing to compare with. */
const accountHere = (): AccountSid | undefined =>
  orUndefined(() => loadPartOfConfig(['accountSid']).accountSid);

const signingHere = (): SigningIdentity => loadSigning(loadPartOfConfig(['signing']).signing);

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof CustodyError) return undefined;
    throw error;
  }
}

type ByKey = Pick<Verified, 'certificate' | 'keyId' | 'isListed'>;

async function byKey(jws: string, jwk: JWK, signing: SigningIdentity | undefined): Promise<ByKey> {
  const certificate = await verifyCertificate(jws, jwk);
  const isListed = signing && (await signing.verify(certificateType, jws).then(Boolean, () => false));
  return { certificate, keyId: namedKey(jws), ...(isListed !== undefined && { isListed }) };
}

/** By any key that is listed on this host. */
async function byThisHost(jws: string, signing: SigningIdentity): Promise<ByKey> {
  const keyId = namedKey(jws);
  const { payload } = await signing.verify(certificateType, jws).catch((cause: unknown) => {
    throw signing.lists(keyId)
      ? new CustodyError('certificate_invalid', 'it was altered since it was signed', { cause })
      : new CustodyError(
          'certificate_key',
          `it was signed by the key ${keyId}, which this host does not list (${signing.keyIds.join(', ')})`,
          { cause },
        );
  });
  return { certificate: readCertificate(payload), keyId, isListed: true };
}

/** For a person. Text that others wrote into it is printed without control characters. */
export function certificateText({ certificate, keyId }: Verified): string {
  const { iss, jti, iat, reason, reference, policy, recordings } = certificate;
  const versions = recordings.reduce((sum, one) => sum + one.versions, 0);
  const lines = [
    ['account', iss],
    ['certificate', jti],
    ['signed', `${new Date(iat * 1_000).toISOString()} by the key ${keyId}`],
    ['reason', reason],
    ...(reference === undefined ? [] : [['reference', forTerminal(reference).replace(/\s+/g, ' ')]]),
    ['policy', policy],
    ['recordings', `${recordings.length}, ${versions} versions in the bucket`],
  ].map(([name = '', value]) => `${name.padEnd(11)}  ${value}`);
  const each = table(
    ['RECORDING', 'VERSIONS', 'AT TWILIO', 'ERASED', 'NOTE'],
    recordings.map((one) => [one.recording, one.versions, one.twilio, one.at, noteOf(one)]),
  );
  return [...lines, '', ...each].join('\n');
}

const ofVersions = {
  all: undefined,
  none: 'the bucket kept no versions',
  unknown: 'whether the bucket kept versions is not known',
} as const;

/** What a certificate says of one recording beside its columns; the session's id comes from outside. */
function noteOf({ keptVersions, session }: ErasedRecording): string | undefined {
  const call =
    session &&
    `${forTerminal(session.id)} was connected for ${session.seconds} s (${session.connectedAt} to ${session.closedAt}), less than ${session.minimumSeconds} s by version ${session.settings} of the data source`;
  return [ofVersions[keptVersions ?? 'all'], call].filter(Boolean).join('; ') || undefined;
}

function doubts({ certificate, expected, isListed, keyId }: Verified): string[] {
  return [
    ...(expected === undefined
      ? ['Not compared: neither TWILIO_ACCOUNT_SID nor --account names the account it should be for.']
      : []),
    ...(expected !== undefined && expected !== certificate.iss
      ? [`It is for the account ${certificate.iss}, and not for ${expected}.`]
      : []),
    ...(isListed === false ? [`This host does not list its key ${keyId}.`] : []),
  ];
}

function accountOf(text: string): AccountSid {
  const sid = asAccountSid(text);
  if (!sid) throw new InvalidArgumentError('an account is AC and 32 hexadecimal digits');
  return sid;
}

async function jwkIn(file: string): Promise<JWK> {
  const text = await readText(file);
  try {
    return JSON.parse(text) as JWK;
  } catch (cause) {
    throw new CustodyError('file_unreadable', `${file} is not a JWK`, { cause });
  }
}
