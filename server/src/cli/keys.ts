import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { CustodyError } from '@flex-custody/core';
import { isKeyId } from '@flex-custody/vault';
import { type Command, Option } from 'commander';
import { systemCode } from '../config/system-code.ts';
import { newSigningKey } from '../signing/key-file.ts';
import { registerKeyStatus } from './rotate-keys.ts';

type Kind = 'rsa' | 'raw-aes';
const kinds = ['rsa', 'raw-aes', 'signing'];

const modulusLength = 2048;

/** A new key as a key file's text, and what the Functions need to know of it. */
export function generateKey(
  kind: Kind,
  keyId: string,
): { file: string; forFunctions: Record<string, string> } {
  if (!isKeyId(keyId)) {
    throw new CustodyError(
      'key_invalid',
      'a key id has 1 to 100 of A-Z a-z 0-9 . _ - and begins with a letter or digit',
    );
  }
  if (kind === 'raw-aes')
    return { file: `${keyId}:${randomBytes(32).toString('base64')}\n`, forFunctions: {} };
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  return {
    file: `# key id: ${keyId}\n${pem}`,
    forFunctions: {
      CUSTODY_PUBLIC_KEY: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
      CUSTODY_KEY_ID: keyId,
    },
  };
}

export function registerKeyCommands(program: Command): void {
  const keys = program.command('keys').description('the keys that seal and open recordings');
  registerKeyStatus(keys);
  keys
    .command('generate')
    .description('make a new key file; an existing one is never overwritten')
    .addOption(
      new Option(
        '--kind <kind>',
        'rsa: the Functions seal with its public half; signing: signs sidecars and certificates',
      )
        .choices(kinds)
        .default('rsa'),
    )
    .option(
      '--key-id <name>',
      'the name that sealed recordings carry, such as 2026-01; a signing key needs none',
    )
    .requiredOption('--out <file>', 'where the private key goes; only its owner may read it')
    .action(
      ({ kind, keyId, out }: { kind: Kind | 'signing'; keyId?: string; out: string }, command: Command) => {
        if (kind === 'signing') return generateSigning(out, keyId);
        if (keyId === undefined)
          return command.error(
            "error: option '--key-id <name>' is missing: sealed recordings carry that name",
          );
        const made = generateKey(kind, keyId);
        save(out, made.file);
        const lines = Object.entries(made.forFunctions).map(([name, value]) => `${name}=${value}`);
        console.error(`Wrote ${out}. Back it up on another machine: without it nothing can be opened.`);
        console.error(
          `The host: CUSTODY_KEY_KIND=${kind}, CUSTODY_KEY_FILE=${out}. To rotate, put it above the old keys in one file.`,
        );
        if (lines.length > 0) console.error("The Functions' environment:");
        for (const line of lines) console.log(line);
      },
    );
}

function generateSigning(out: string, keyId: string | undefined): void {
  save(out, newSigningKey(keyId));
  console.error(`Wrote ${out}. Back it up on another machine: without it the catalog cannot be rebuilt.`);
  console.error(
    `Every host: CUSTODY_SIGNING_KEY_FILE=${out}. To rotate, put it above the old keys in one file.`,
  );
}

function save(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    const code = systemCode(cause);
    const why =
      code === 'EEXIST'
        ? `${file} exists, and overwriting a key loses every recording under it: choose another name`
        : `${file} cannot be written (${code}): choose another place`;
    // Without its cause, which would be explained as the host's own folder's.
    throw new CustodyError('key_file', why);
  }
}
