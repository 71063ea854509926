import { setFlagsFromString } from 'node:v8';

// What this process writes is its user's alone.
process.umask(0o077);

// Before anything else is loaded: V8's young generation doubles while modules are compiled, some 15 MB that no request
// ever needs and that a process keeps.
setFlagsFromString('--semi-space-growth-factor=1');

// The SDK's warning about Node 20 is for whoever updates it: `flex-custody doctor` says it once.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

const { serve } = await import('./serve.ts');
await serve();
