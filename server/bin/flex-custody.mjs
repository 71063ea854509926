#!/usr/bin/env node
// Plain syntax: an old Node must get far enough to be told that it is old.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

const [major, minor] = process.versions.node.split('.').map(Number);
const bundle = new URL('../../dist/server/cli.js', import.meta.url);
if (major < 20 || (major === 20 && minor < 12)) {
  fail(
    `flex-custody needs Node 20.12 or newer, this is ${process.versions.node}: install it from https://nodejs.org`,
  );
} else if (!existsSync(fileURLToPath(bundle))) {
  fail('flex-custody is not built yet: run `npm run build` in its folder');
} else {
  // The SDK's warning about Node 20 is nine lines at each command; `flex-custody doctor` says it once.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  // As server/src/start/main.ts does, and for its reason.
  if (process.argv[2] === 'serve') setFlagsFromString('--semi-space-growth-factor=1');
  await import(bundle.href);
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}
