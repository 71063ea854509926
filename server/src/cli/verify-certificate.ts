import { type AccountSid, asAccountSid, CustodyError } from '@flex-custody/core';
import { type Command, InvalidArgumentError } from 'commander';
import type { JWK } from 'jose';
import { loadConfig } from '../config.ts';
import {
  type Certificate,
  certificateType,
  namedKey,
  readCertificate,
  verifyCertificate,
} from '../retention/certificate.ts';
import type { SigningIdentity } from '../signing/identity.ts';
import { loadSigning } from '../signing/load.ts';
import { readText } from './file-input.ts';
import { forTerminal } from './for-terminal.ts';

interface Flags {
  key?: string;
  account?: AccountSid;
  json?: boolean;
}

/** What is known of a certificate whose signature was verified. */
export interface Verified {
  certificate: Certificate;
  /** As it names its key itself. */
  keyId: string;
  /** Whether this host lists that key; absent where no host's keys are at hand. */
  isListed?: boolean;
  /** Whose it should be: as named, or as configured; absent where nothing says so. */
  expected?: AccountSid;
}

export function registerVerify(certificates: Command): void {
  certificates
    .command('verify')
    .description(
      'verify one, without a host, and print what it says; ends with 1 where it is of another account',
    )
    .argument('<file>', 'with the signed text; - reads it from standard input')
    .option('--key <file>', "the public key as a JWK; this host's own keys without it")
    .option('--account <sid>', 'whose it should be; the configured account without it', accountOf)
    .option('--json', 'one line: {certificate, keyId, isListed?, expected?, isOfExpected?}')
    .action(async (file: string, { key, account, json }: Flags) => {
      const jws = (await readText(file)).trim();
      const host = hostHere(key === undefined);
      const expected = account ?? host?.accountSid;
      const verified: Verified = {
        ...(key ? await byKey(jws, await jwkIn(key), host?.signing) : await byThisHost(jws, host?.signing)),
        ...(expected && { expected }),
      };
      const isOther = expected !== undefined && expected !== verified.certificate.iss;
      if (json) console.log(JSON.stringify({ ...verified, ...(expected && { isOfExpected: !isOther }) }));
      else console.log(certificateText(verified));
      for (const line of doubts(verified)) console.error(line);
      if (isOther) process.exitCode = 1;
    });
}

interface HostHere {
  accountSid: AccountSid;
  signing?: SigningIdentity;
}

/** Who has the public key needs no host: then there is nothing to compare with. @throws CustodyError where it is needed */
function hostHere(isNeeded: boolean): HostHere | undefined {
  try {
    const config = loadConfig();
    return { accountSid: config.accountSid, signing: loadSigning(config.signing) };
  } catch (error) {
    if (isNeeded || !(error instanceof CustodyError)) throw error;
    return undefined;
  }
}

type ByKey = Pick<Verified, 'certificate' | 'keyId' | 'isListed'>;

async function byKey(jws: string, jwk: JWK, signing: SigningIdentity | undefined): Promise<ByKey> {
  const certificate = await verifyCertificate(jws, jwk);
  const isListed = signing && (await signing.verify(certificateType, jws).then(Boolean, () => false));
  return { certificate, keyId: namedKey(jws), ...(isListed !== undefined && { isListed }) };
}

/** By any key that is listed on this host. */
async function byThisHost(jws: string, signing: SigningIdentity | undefined): Promise<ByKey> {
  if (!signing) throw new Error('no signing key');
  const keyId = namedKey(jws);
  const { payload } = await signing.verify(certificateType, jws).catch((cause: unknown) => {
    throw signing.lists(keyId)
      ? new CustodyError('certificate_invalid', 'it was altered since it was signed', { cause })
      : new CustodyError(
          'certificate_key',
          `it was signed by the key ${keyId}, which this host does not list (${signing.keyIds.join(', ')}): name its public half by --key`,
          { cause },
        );
  });
  return { certificate: readCertificate(payload), keyId, isListed: true };
}

/** For a person. What others wrote into it is printed without control characters. */
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
  const each = recordings.map(
    (one) =>
      `${one.recording}  ${String(one.versions).padStart(3)} versions  Twilio: ${one.twilio.padEnd(7)}  ${one.at}${ofVersions[one.keptVersions ?? 'all']}`,
  );
  return [...lines, '', ...each].join('\n');
}

const ofVersions = {
  all: '',
  none: '  (the bucket kept no versions)',
  unknown: '  (whether the bucket kept versions is unknown)',
} as const;

function doubts({ certificate, expected, isListed, keyId }: Verified): string[] {
  return [
    ...(expected === undefined
      ? ['No account is configured here, and none was named by --account: compare it yourself.']
      : []),
    ...(expected !== undefined && expected !== certificate.iss
      ? [`It is of the account ${certificate.iss}, and not of ${expected}.`]
      : []),
    ...(isListed === false ? [`Its key ${keyId} is not one that this host lists.`] : []),
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
    throw new CustodyError('file_unreadable', `${file} holds no JWK`, { cause });
  }
}
