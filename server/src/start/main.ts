import { setFlagsFromString } from 'node:v8';

// Only this user may read the files that this process writes.
process.umask(0o077);

// Before anything else is loaded: V8's young generation doubles while modules are compiled, and the process would keep some 15 MB
// that no request needs.
setFlagsFromString('--semi-space-growth-factor=1');

// The doctor says the same as the SDK's warning about Node 20.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

const { serve } = await import('./serve.ts');
await serve();
