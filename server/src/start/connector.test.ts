import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// Also lets the embedded database load inside tests.
import '../db/testing/on-each-engine.ts';
import {
  type Connector,
  type ConnectorStatus,
  connect,
  type Handled,
  type SyncProgress,
} from '@flex-custody/server/connector';
import { account, cloudEvent } from '../events/testing/cloud-events.ts';
import { makeSigningKey } from '../signing/load.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

let folder: string;
let environment: Record<string, string>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'embedded-'));
  const file = join(folder, 'brevo.yaml');
  writeFileSync(file, `account_sid: ${account}\nconsent: all\n`, { mode: 0o600 });
  const signing = join(folder, 'signing.pem');
  makeSigningKey(signing);
  environment = {
    ...{ TWILIO_ACCOUNT_SID: account, TWILIO_AUTH_TOKEN: '0123456789abcdef'.repeat(2) },
    ...{ TWILIO_WORKSPACE_SID: `WS${'1'.repeat(32)}`, CUSTODY_PUBLIC_URL: 'https://host.example' },
    ...{ AWS_REGION: 'eu-central-1', CUSTODY_BUCKET: 'recordings', CUSTODY_KEY_KIND: 'raw-aes' },
    CUSTODY_KEYS: `key:${Buffer.alloc(32, 7).toString('base64')}`,
    CUSTODY_FUNCTION_SECRETS: 'f'.repeat(64),
    CUSTODY_MEDIA_SECRET: Buffer.alloc(32, 1).toString('base64'),
    CUSTODY_DATA_DIR: join(folder, 'host'),
    CUSTODY_SIGNING_KEY_FILE: signing,
    ...{ CUSTODY_BREVO_FILE: file, CUSTODY_BREVO_API_KEY: `xkeysib-${'0'.repeat(64)}-AbCdEfGhIjKlMnOp` },
  };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('code that embeds it takes events, each once, and reads the status', async () => {
  const connector = await connect({ environment });
  try {
    const event = cloudEvent({ n: 1 }) as unknown as Parameters<Connector['handleEvent']>[0];
    expect(await connector.handleEvent(event)).toBe('stored');
    expect(await connector.handleEvent(event)).toBe('known');
    expect(await connector.handleEvent({ ...event, id: 'EZ9', type: 'com.example.unknown' })).toBe(
      'set aside',
    );
    expect(await connector.status()).toMatchObject({ connector: 'brevo', connected: false, pending: 0 });
    await expect(connector.sync({ type: 'full' })).rejects.toMatchObject({ code: 'request_invalid' });
  } finally {
    await connector.close();
  }
}, 60_000);

test('without the file of the connector it says how to get one', async () => {
  const { CUSTODY_BREVO_FILE: _, ...without } = environment;
  await expect(connect({ environment: without })).rejects.toMatchObject({
    code: 'connector_off',
    message: 'CUSTODY_BREVO_FILE is not set',
  });
});

test('its types are those that the page shows', () => {
  const same: [
    Same<Awaited<ReturnType<typeof connect>>, Connector>,
    Same<ReturnType<Connector['status']>, Promise<ConnectorStatus>>,
    Same<ReturnType<Connector['sync']>, Promise<SyncProgress>>,
    Same<ReturnType<Connector['handleEvent']>, Promise<Handled>>,
    Same<NonNullable<Parameters<Connector['sync']>[0]>['type'], 'incremental' | 'full' | undefined>,
  ] = [true, true, true, true, true];
  expect(same).not.toContain(false);
  // @ts-expect-error an event needs its id
  const incomplete: Parameters<Connector['handleEvent']>[0] = {
    specversion: '1.0',
    type: 'x',
    source: 'x',
    data: {},
  };
  expect(incomplete).toBeDefined();
});
