import { readFileSync } from 'node:fs';
import { CustodyError } from '@flex-custody/core';
import { type Command, InvalidArgumentError } from 'commander';
import type { JWK } from 'jose';
import { systemCode } from '../config/system-code.ts';
import { loadConfig } from '../config.ts';
import { certificateType, verifyCertificate } from '../retention/certificate.ts';
import { loadSigning } from '../signing/load.ts';
import { atDesk } from './at-desk.ts';

export function registerCertificates(program: Command): void {
  const certificates = program
    .command('certificates')
    .description('what was erased, and when: signed, and for anybody to verify');
  certificates
    .command('list')
    .description('newest first: id, time, reason, how many recordings')
    .option('--json', 'as a list')
    .action(({ json }: { json?: boolean }) =>
      atDesk(async (desk) => {
        const all = await desk.certificates();
        if (json) return console.log(JSON.stringify(all, undefined, 2));
        for (const { id, at, reason, recordings } of all)
          console.log([id, at.toISOString(), reason.padEnd(9), String(recordings).padStart(5)].join('  '));
      }),
    );
  certificates
    .command('show')
    .description('the signed text of one, as it is verified')
    .argument('<id>', 'as listed', uuid)
    .action((id: string) => atDesk(async (desk) => console.log((await desk.certificate(id)).jws)));
  certificates
    .command('key')
    .description('the public key that verifies those of today, as a JWK')
    .option('--all', 'every listed key, as a JWK Set: also those that signed earlier')
    .action(async ({ all }: { all?: boolean }) => {
      const keys = await loadSigning(loadConfig().signing).publicJwks();
      console.log(JSON.stringify(all ? { keys } : keys[0]));
    });
  certificates
    .command('verify')
    .description('verify one, without a host; prints what it says')
    .argument('<file>', 'with the signed text; - reads it from standard input')
    .option('--key <file>', "the public key as a JWK; this host's own keys without it")
    .action(async (file: string, { key }: { key?: string }) => {
      const jws = textOf(file).trim();
      const said = key ? await verifyCertificate(jws, jwkIn(key)) : await verifiedHere(jws);
      console.log(JSON.stringify(said, undefined, 2));
    });
}

/** By any key that is listed on this host. */
async function verifiedHere(jws: string): Promise<unknown> {
  const { payload } = await loadSigning(loadConfig().signing).verify(certificateType, jws);
  return JSON.parse(payload);
}

function jwkIn(file: string): JWK {
  try {
    return JSON.parse(textOf(file)) as JWK;
  } catch (cause) {
    if (cause instanceof CustodyError) throw cause;
    throw new CustodyError('file_unreadable', `${file} holds no JWK`, { cause });
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (cause) {
    throw new CustodyError('file_unreadable', `${file} cannot be read (${systemCode(cause)})`, { cause });
  }
}

function uuid(text: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text))
    throw new InvalidArgumentError('the id is as `certificates list` shows it');
  return text;
}
