import type { BuiltIn } from './load';

/** webpack's own `require`: the files that lie there when the plugin is built. */
declare const require: { context(directory: string, deep: boolean, filter: RegExp): BuiltIn };

/** The vendor's three files, or none of them: git ignores them. */
export const builtIn = require.context(
  '../components/veridas',
  false,
  /^\.\/(daspeak-streaming-web-agent-twilio\.bundle|[Cc]onfig|[Uu]tils)\.js$/,
);
