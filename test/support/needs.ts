import { existsSync } from 'node:fs';

/**
 * What some tests need and not every machine has. Where it is missing the suite is listed as skipped, by name and with
 * the way to get it, instead of silently passing.
 */
const needs = {
  chromium: {
    there: () => existsSync(chromiumPath()),
    get: 'install Chromium, or set CHROMIUM to its path',
  },
  flex: {
    there: () =>
      existsSync(chromiumPath()) && existsSync('plugin-recording/node_modules/@twilio/flex-ui/package.json'),
    get: 'install Chromium, and run `npm ci` in plugin-recording, which brings Flex UI',
  },
  radosgw: {
    there: () => process.env['TEST_S3_ENDPOINT'] !== undefined,
    get: 'install radosgw with ceph-mon, ceph-osd and ceph-mgr, which npm test then starts, or set TEST_S3_ENDPOINT, TEST_S3_ACCESS_KEY_ID and TEST_S3_SECRET_ACCESS_KEY',
  },
  postgresql: {
    there: () => process.env['TEST_DATABASE_URL'] !== undefined,
    get: 'install PostgreSQL, which npm test then starts, or set TEST_DATABASE_URL to a database that may be written to',
  },
  'twilio-oai': {
    there: () => existsSync(process.env['TWILIO_OAI_DIR'] ?? '\0'),
    get: "set TWILIO_OAI_DIR to a folder with Twilio's OpenAPI descriptions",
  },
  plugins: {
    there: () =>
      ['plugin-recording', 'plugin-veridas'].every((name) => existsSync(`${name}/build/${name}.js`)),
    get: 'build the plugins: npm run plugins',
  },
} as const;

export type Need = keyof typeof needs;

export function chromiumPath(): string {
  return process.env['CHROMIUM'] ?? '/usr/bin/chromium';
}

/**
 * The check of every change plays the calls in the browser in a short form (E2E=short): what takes longest and has a
 * shorter sibling is left to `npm test` and `npm run e2e`, which know of no such form unless it is asked for.
 */
export const isShortForm = process.env['E2E'] === 'short';

/** A `test` that the short form leaves out. */
export function inFull(name: string, body: () => Promise<void>, limitMs?: number): void {
  if (!isShortForm) test(name, body, limitMs);
}

/** A `describe` that runs where every need is met and is listed as skipped where one is not. */
export function describeWhere(need: Need | readonly Need[], name: string, body: () => void): void {
  const missing = [need].flat().find((one) => !needs[one].there());
  if (missing === undefined) {
    describe(name, body);
    return;
  }
  const skipped = test['skip'];
  describe(name, () => skipped(`needs ${missing}: ${needs[missing].get}`, () => undefined));
}

/** The S3 endpoint that the conformance and end-to-end suites may use besides the sandbox's own. */
export function testS3(): { endpoint: string; accessKeyId: string; secretAccessKey: string } {
  const read = (name: string) => process.env[name] ?? '';
  return {
    endpoint: read('TEST_S3_ENDPOINT'),
    accessKeyId: read('TEST_S3_ACCESS_KEY_ID'),
    secretAccessKey: read('TEST_S3_SECRET_ACCESS_KEY'),
  };
}
