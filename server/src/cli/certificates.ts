import { type Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '../config.ts';
import { loadSigning } from '../signing/load.ts';
import { atDesk } from './at-desk.ts';
import { registerVerify } from './verify-certificate.ts';

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
        if (all.length === 0) return console.log('No certificates.');
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
  registerVerify(certificates);
}

function uuid(text: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text))
    throw new InvalidArgumentError('the id is as `certificates list` shows it');
  return text;
}
