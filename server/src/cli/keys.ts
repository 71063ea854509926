import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { CustodyError } from '@flex-custody/core';
import { isKeyId } from '@flex-custody/vault';
import { type Command, Option } from 'commander';
import { systemCode } from '../config/system-code.ts';
import { newSigningKey } from '../signing/key-file.ts';
import { printJson } from './output.ts';
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
  const keys = program.command('keys').description('generate keys, and count recordings per key');
  registerKeyStatus(keys);
  keys
    .command('generate')
    .description('make a new key file; an existing file is never overwritten')
    .addOption(
      new Option(
        '--kind <kind>',
        'rsa: the Functions encrypt with its public half; signing: signs sidecars and certificates',
      )
        .choices(kinds)
        .default('rsa'),
    )
    .option(
      '--key-id <name>',
      'the name that encrypted recordings carry, such as 2026-01; a signing key needs none',
    )
    .requiredOption('--out <file>', 'file for the private key, which only its owner may read')
    .option('--json', '{file, kind, keyId, forFunctions}')
    .action(
      (
        { kind, keyId, out, json }: { kind: Kind | 'signing'; keyId?: string; out: string; json?: boolean },
        command: Command,
      ) => {
        if (kind === 'signing') {
          generateSigning(out, keyId, json);
          return;
        }
        if (keyId === undefined)
          return command.error(
            "error: option '--key-id <name>' is missing: encrypted recordings carry that name",
          );
        const made = generateKey(kind, keyId);
        save(out, made.file);
        if (json) {
          printJson({ file: out, kind, keyId, forFunctions: made.forFunctions });
          return;
        }
        const lines = Object.entries(made.forFunctions).map(([name, value]) => `${name}=${value}`);
        console.error(`Wrote ${out}. Back it up on another machine: without it no recording can be opened.`);
        console.error(
          `Set on the host: CUSTODY_KEY_KIND=${kind}, CUSTODY_KEY_FILE=${out}. To rotate, put the new key above the old ones in one file.`,
        );
        if (lines.length > 0) console.error('Set on the Functions:');
        for (const line of lines) console.log(line);
      },
    );
}

function generateSigning(out: string, keyId: string | undefined, json: boolean | undefined): void {
  save(out, newSigningKey(keyId));
  if (json) {
    printJson({ file: out, kind: 'signing' });
    return;
  }
  console.error(`Wrote ${out}. Back it up on another machine: without it the catalog cannot be rebuilt.`);
  console.error(
    `Set on every host: CUSTODY_SIGNING_KEY_FILE=${out}. To rotate, put the new key above the old ones in one file.`,
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
        : `${file} cannot be written (${code})`;
    // Without its cause, which would be explained as a fault of the host's own folders.
    throw new CustodyError('key_file', why);
  }
}
