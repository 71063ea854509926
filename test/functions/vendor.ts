import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { generate } from 'selfsigned';

export interface Vendor {
  url: string;
  /** PEM of the authority that its certificate comes from. */
  ca: string;
  /** What it answers; set by each test. */
  answer: { status: number; body: string };
  /** The bodies it was sent. */
  asked: string[];
  /** Shows a certificate of somebody else's authority, or its own again. */
  disguise(on: boolean): void;
  close(): Promise<void>;
}

/** The vendor's place for tokens, with an authority of its own, as its private installations have. */
export async function startVendor(): Promise<Vendor> {
  const [own, stranger] = await Promise.all([certificate(), certificate()]);
  const asked: string[] = [];
  const server = createServer({ key: own.key, cert: own.cert }, async (incoming, outgoing) => {
    let body = '';
    for await (const chunk of incoming) body += chunk;
    asked.push(body);
    outgoing.writeHead(vendor.answer.status, { 'content-type': 'application/json' }).end(vendor.answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const vendor: Vendor = {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/oauth/token`,
    ca: own.ca,
    answer: { status: 200, body: '{}' },
    asked,
    disguise: (on) => server.setSecureContext(on ? stranger : own),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return vendor;
}

/** A folder of assets with the vendor's authority, where the Functions look for it. */
export function assetsWith(folder: string, ca: string): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'veridas-ca.private.pem'), ca);
  return folder;
}

async function certificate(): Promise<{ ca: string; key: string; cert: string }> {
  const common = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const;
  const ca = await generate([{ name: 'commonName', value: 'vendor authority' }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });
  const leaf = await generate([{ name: 'commonName', value: 'vendor' }], {
    ...common,
    ca: { key: ca.private, cert: ca.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
    ],
  });
  return { ca: ca.cert, key: leaf.private, cert: leaf.cert };
}
