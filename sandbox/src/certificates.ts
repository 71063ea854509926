import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generate } from 'selfsigned';

/** The hosts whose TLS double answers; the proxy refuses all others. */
export const twilioHosts = [
  'api.twilio.com',
  'taskrouter.twilio.com',
  'iam.twilio.com',
  'webhooks.twilio.com',
  'flex-api.twilio.com',
  'events.twilio.com',
  'conversations.twilio.com',
  'insights.twilio.com',
  'serverless.twilio.com',
] as const;

/** Where Brevo's double is reached by the proxy. */
export const brevoHost = 'api.brevo.com';

/** Regional names (`api.dublin.ie1.twilio.com`, `iam.ie1.twilio.com`) mean the same service. */
const services = twilioHosts.map((host) => host.slice(0, host.indexOf('.'))).join('|');
const twilioHost = new RegExp(`^(${services})(\\.[a-z0-9-]+){0,2}\\.twilio\\.com$`);

/** The plain name of the service, or undefined for a host that is not one of Twilio's. */
export function twilioService(host: string): string | undefined {
  return twilioHost.exec(host.toLowerCase())?.[1];
}

export interface Certificates {
  /** PEM file of the authority that clients must trust, for NODE_EXTRA_CA_CERTS. */
  caFile: string;
  ca: string;
  key: string;
  cert: string;
}

const day = 24 * 60 * 60 * 1000;

/** A temporary authority and one certificate for all hosts, made at each start; its key is never written to disk. */
export async function makeCertificates(dataDir: string): Promise<Certificates> {
  const validity = {
    notBeforeDate: new Date(Date.now() - day),
    notAfterDate: new Date(Date.now() + 30 * day),
  };
  const common = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256', ...validity } as const;
  const ca = await generate([{ name: 'commonName', value: 'flex-custody sandbox authority' }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const regional = twilioHosts.flatMap((host) => {
    const service = host.slice(0, host.indexOf('.'));
    return ['ie1', 'au1', 'us1'].map((region) => `${service}.${region}.twilio.com`);
  });
  const leaf = await generate([{ name: 'commonName', value: 'api.twilio.com' }], {
    ...common,
    ca: { key: ca.private, cert: ca.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          ...[...twilioHosts, ...regional, brevoHost, 'localhost'].map((value) => ({
            type: 2 as const,
            value,
          })),
          // What a client reaches without the proxy.
          { type: 7 as const, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  await mkdir(dataDir, { recursive: true });
  const caFile = join(dataDir, 'ca.pem');
  await writeFile(caFile, ca.cert);
  return { caFile, ca: ca.cert, key: leaf.private, cert: leaf.cert };
}
