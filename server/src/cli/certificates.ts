import { type Command, InvalidArgumentError } from 'commander';
import type { KeptCertificate } from '../catalog/certificates.ts';
import { loadConfig } from '../config.ts';
import { loadSigning } from '../signing/load.ts';
import { withOperatorApi } from './operator-api.ts';
import { noteMore, pageSize } from './pages.ts';
import { registerVerify } from './verify-certificate.ts';

export function registerCertificates(program: Command): void {
  const certificates = program
    .command('certificates')
    .description('what was erased, and when: signed, and for anybody to verify');
  certificates
    .command('list')
    .description('newest first: id, time, reason, how many recordings')
    .option('--limit <n>', 'how many, at most 1000', pageSize, 50)
    .option('--after <id>', 'those behind this one', uuid)
    .option('--json', 'as a list')
    .action(({ limit, after, json }: { limit: number; after?: string; json?: boolean }) =>
      withOperatorApi(async (api) => {
        const page = await api.certificates({ limit, ...(after !== undefined && { after }) });
        console.log(json ? JSON.stringify(page, undefined, 2) : listText(page));
        await noteMore(
          page,
          limit,
          ({ id }) => id,
          ({ id }) => api.certificatesBehind(id),
        );
      }),
    );
  certificates
    .command('show')
    .description('the signed text of one, as it is verified')
    .argument('<id>', 'as listed', uuid)
    .action((id: string) => withOperatorApi(async (api) => console.log((await api.certificate(id)).jws)));
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

const listText = (page: readonly KeptCertificate[]): string =>
  page.length === 0
    ? 'No certificates.'
    : page
        .map(({ id, at, reason, recordings }) =>
          [id, at.toISOString(), reason.padEnd(9), String(recordings).padStart(5)].join('  '),
        )
        .join('\n');

function uuid(text: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text))
    throw new InvalidArgumentError('the id is as `certificates list` shows it');
  return text;
}
