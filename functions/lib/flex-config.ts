import { type AccountSid, asWorkspaceSid, type WorkspaceSid } from '@flex-custody/core';
import { accountOf, type FunctionConfig, hostOf } from './config.ts';
import { fromEnvironment, listOf, safeOrigin, safeUrl, type Variables } from './environment.ts';
import { logOutcome } from './log.ts';
import type { Context } from './runtime.ts';

/** What everything that Flex in the browser calls needs. */
export interface FlexConfig {
  accountSid: AccountSid;
  authToken: string;
  /** Realm of the Flex tokens, where it is not the usual one. */
  realm?: string;
  /** Origins whose pages may call. */
  origins: readonly string[];
}

/** And what deals with a live call. */
export interface CallConfig extends FlexConfig {
  workspaceSid: WorkspaceSid;
}

export interface StartConfig extends CallConfig {
  /** Where Twilio posts the end of a recording to. */
  functionsUrl: string;
}

export interface PauseConfig extends CallConfig {
  host: FunctionConfig['host'];
}

export interface StreamConfig extends CallConfig {
  /** Which knows whether the caller agreed. */
  host: FunctionConfig['host'];
  /** The only addresses to which a caller's voice may be sent; the first is the default. */
  targets: readonly string[];
}

export interface VendorConfig extends CallConfig {
  host: FunctionConfig['host'];
  vendor: { url: string; clientId: string; clientSecret: string };
}

function flexOf(variables: Variables): FlexConfig {
  const { text, needed } = variables;
  const realm = text('TWILIO_REALM');
  const origins = listOf(text('CUSTODY_FLEX_ORIGINS') ?? 'https://flex.twilio.com', safeOrigin);
  return {
    ...accountOf(variables),
    ...(realm ? { realm } : {}),
    origins: needed('CUSTODY_FLEX_ORIGINS', origins),
  };
}

function callOf(variables: Variables): CallConfig {
  const { text, needed } = variables;
  const workspaceSid = needed('TWILIO_WORKSPACE_SID', asWorkspaceSid(text('TWILIO_WORKSPACE_SID')));
  return { ...flexOf(variables), workspaceSid };
}

export const readCallConfig = (context: Context): CallConfig => fromEnvironment(context, callOf);

export function readStartConfig(context: Context): StartConfig {
  return fromEnvironment(context, (variables) => {
    const { text, needed } = variables;
    const domain = text('DOMAIN_NAME');
    const functionsUrl = safeOrigin(text('CUSTODY_FUNCTIONS_URL') ?? (domain && `https://${domain}`));
    return { ...callOf(variables), functionsUrl: needed('CUSTODY_FUNCTIONS_URL', functionsUrl) };
  });
}

export const readPauseConfig = (context: Context): PauseConfig =>
  fromEnvironment(context, (variables) => ({ ...callOf(variables), host: hostOf(variables) }));

export function readStreamConfig(context: Context): StreamConfig {
  return fromEnvironment(context, (variables) => {
    const targets = listOf(streamUrls(variables), streamTarget);
    return {
      ...callOf(variables),
      host: hostOf(variables),
      targets: variables.needed('CUSTODY_STREAM_URLS', targets),
    };
  });
}

export function readVendorConfig(context: Context): VendorConfig {
  return fromEnvironment(context, (variables) => {
    const { text, needed } = variables;
    return {
      ...callOf(variables),
      host: hostOf(variables),
      vendor: {
        url: needed('getTemporaryTokenCloudUrl', safeUrl(text('getTemporaryTokenCloudUrl'))?.href),
        clientId: needed('client_id', text('client_id')),
        clientSecret: needed('client_secret', text('client_secret')),
      },
    };
  });
}

/** The list had the old name before that name became the recorder's own. */
function streamUrls({ text }: Variables): string | undefined {
  const [now, old] = [text('CUSTODY_STREAM_URLS'), text('WEBSOCKET_TARGET_URL')];
  if (old !== undefined)
    logOutcome({
      event: 'startStreamAudio',
      outcome: 'deprecated',
      detail: `WEBSOCKET_TARGET_URL: ${now === undefined ? 'rename it to' : 'remove it, it has no effect beside'} CUSTODY_STREAM_URLS`,
      ms: 0,
    });
  return now ?? old;
}

/** As it was written: what is signed of a stream is its URL to the letter. Twilio drops a query, so it may have none. */
function streamTarget(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'wss:') return undefined;
  return `${url.search}${url.hash}${url.username}${url.password}` === '' ? text : undefined;
}
