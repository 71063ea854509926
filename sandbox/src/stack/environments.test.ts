import type { Sandbox } from '../index.ts';
import { functionsEnvironment, serverEnvironment } from './environments.ts';
import type { StackSecrets } from './secrets.ts';

const identity = (name: string) => ({ accessKeyId: `id-of-${name}`, secretAccessKey: `secret-of-${name}` });
const sandbox = {
  url: 'http://127.0.0.1:1',
  env: {
    AWS_ACCESS_KEY_ID: 'id-of-account',
    AWS_SECRET_ACCESS_KEY: 'secret-of-account',
    HTTPS_PROXY: 'http://p',
  },
  account: {},
  veridas: {},
  s3: { ...identity('account'), identities: { host: identity('host'), functions: identity('functions') } },
} as unknown as Sandbox;
const addresses = { server: 'http://h', functions: 'http://f', ports: { server: 2, ops: 3 } };

test('the Functions have a key of the bucket of their own, and neither the host nor they have the account’s', () => {
  const functions = JSON.stringify(functionsEnvironment(sandbox, {} as StackSecrets, addresses, {}));
  expect(functions).toContain('secret-of-functions');
  expect(functions).not.toMatch(/of-(host|account)/);
  const host = JSON.stringify(serverEnvironment(sandbox, {} as StackSecrets, addresses, '/data', {}));
  expect(host).toContain('secret-of-host');
  expect(host).not.toMatch(/of-(functions|account)/);
});
