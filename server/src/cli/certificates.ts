import { type Command, InvalidArgumentError } from 'commander';
import type { KeptCertificate } from '../catalog/certificates.ts';
import { loadPartOfConfig } from '../config.ts';
import { loadSigning } from '../signing/load.ts';
import { withOperatorApi } from './operator-api.ts';
import { printJson, table } from './output.ts';
import { pageSize, printPage } from './pages.ts';
import { registerVerify } from './verify-certificate.ts';

export function registerCertificates(program: Command): void {
  const certificates = program
    .command('certificates')
    .description('list, print and verify the signed certificates of erasures');
  certificates
    .command('list')
    .description('list certificates, newest first')
    .option('--limit <n>', 'how many, at most 1000', pageSize, 50)
    .option('--after <id>', 'those after this one', uuid)
    .option('--json', 'as an array')
    .action(({ limit, after, json }: { limit: number; after?: string; json?: boolean }) =>
      withOperatorApi(async (api) => {
        const rows = await api.certificates({ limit, ...(after !== undefined && { after }) });
        await printPage({
          rows,
          limit,
          idOf: ({ id }) => id,
          behind: ({ id }) => api.certificatesBehind(id),
          json,
          text: () => listText(rows),
        });
      }),
    );
  certificates
    .command('show')
    .description('print the signed text of a certificate, as `certificates verify` reads it')
    .argument('<id>', 'as listed', uuid)
    .option('--json', '{id, at, reason, recordings, jws}')
    .action((id: string, { json }: { json?: boolean }) =>
      withOperatorApi(async (api) => {
        const found = await api.certificate(id);
        if (json) printJson(found);
        else console.log(found.jws);
      }),
    );
  certificates
    .command('key')
    .description('print the public key that verifies new certificates, as a JWK')
    .option('--all', 'all listed keys, also those that signed earlier, as a JWK Set')
    .option('--json', 'changes nothing: the output is JSON in any case')
    .action(async ({ all }: { all?: boolean }) => {
      const keys = await loadSigning(loadPartOfConfig(['signing']).signing).publicJwks();
      printJson(all ? { keys } : keys[0]);
    });
  registerVerify(certificates);
}

const listText = (rows: readonly KeptCertificate[]): string =>
  rows.length === 0
    ? 'No certificates.'
    : table(
        ['CERTIFICATE', 'SIGNED', 'REASON', 'RECORDINGS'],
        rows.map(({ id, at, reason, recordings }) => [id, at, reason, recordings]),
      ).join('\n');

function uuid(text: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text))
    throw new InvalidArgumentError('the id is as `certificates list` shows it');
  return text;
}
