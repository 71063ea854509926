import { readFlexSettings, withoutSlashes } from '@flex-custody/core';
import { sendRequest } from '@flex-custody/net';
import { signAsTwilio } from '@flex-custody/twilio';
import { advice, fixFirst, note, parsed, type Seen, unknownBefore } from './finding.ts';
import { orUndefined, type Scene } from './scene.ts';

const path = '/recording-status-callback';
const answerMs = 7_000;

/** The Function's URL, from the option, or from the plugins' settings. */
async function callbackUrl(scene: Scene): Promise<string> {
  const { functionsUrl } = scene.options;
  if (functionsUrl !== undefined) return `${withoutSlashes(functionsUrl)}${path}`;
  const found = await orUndefined(scene.flex());
  const url = found && readFlexSettings(found.uiAttributes['flex_custody']).settings.functionsUrl;
  if (url !== undefined) return `${url}${path}`;
  throw advice(
    "the Functions' address is not known",
    'deploy them, then flex-custody setup --functions-url https://…, or give --functions-url here',
  );
}

interface Answered {
  status: number;
  /** The error code of our Function; undefined if something else answered. */
  code: string | undefined;
}

async function post(
  url: string,
  form: Readonly<Record<string, string>>,
  signature?: string,
): Promise<Answered> {
  const reply = await sendRequest(url, {
    method: 'POST',
    body: new URLSearchParams(form).toString(),
    headers: {
      'Content-Type': 'application/x-www-form-urlencoded',
      ...(signature !== undefined && { 'X-Twilio-Signature': signature }),
    },
    limitMs: answerMs,
    mostBytes: 64 * 1024,
  }).catch(() => {
    throw advice(
      `nothing answers at ${new URL(url).origin}`,
      'deploy the Functions (docs/deploy.md), or correct the address: flex-custody setup --functions-url',
    );
  });
  const code = (parsed(reply.text) as { error?: unknown } | undefined)?.error;
  return { status: reply.status, code: typeof code === 'string' ? code : undefined };
}

/** Sends an empty form without a signature: Twilio's gateway must refuse it before a Function sees it. */
export async function functions(scene: Scene): Promise<Seen> {
  // The address is in the Flex configuration; another check reports that it cannot be read.
  if (scene.options.functionsUrl === undefined && !(await orUndefined(scene.flex())))
    return unknownBefore('flex');
  const url = await callbackUrl(scene);
  const { status, code } = await post(url, {});
  if (status === 404)
    throw advice(
      `there is no Function ${path} at ${new URL(url).origin}`,
      'deploy the Functions (docs/deploy.md)',
    );
  if (code !== undefined || (status >= 200 && status < 300))
    throw advice(
      `${path} accepts a request that Twilio has not signed`,
      'deploy it as functions/recording-status-callback.protected.ts',
    );
  if (status === 400 || status === 401 || status === 403)
    return `${new URL(url).origin} answers, and refuses an unsigned callback`;
  throw advice(
    `${url} answers ${status}`,
    "read the Functions' log in the Twilio Console (Functions, the service, Live logs)",
  );
}

/** A well-formed callback of an account that does not exist: it reaches the host, which refuses it. */
const strangers = {
  AccountSid: `AC${'0'.repeat(32)}`,
  RecordingSid: `RE${'0'.repeat(32)}`,
  RecordingStatus: 'absent',
};

/**
 * Tests gateway, Function, its environment and the host by one signed callback without effect: the host refuses recordings
 * of another account, and says so only to one of our Functions. Both logs get a line.
 */
export async function callback(scene: Scene): Promise<Seen> {
  const { authToken } = scene.config;
  if (authToken === undefined)
    return note(
      'not tried: only the auth token signs as Twilio does',
      'set TWILIO_AUTH_TOKEN for this check (https://console.twilio.com, Account Info)',
    );
  const url = await orUndefined(callbackUrl(scene));
  if (url === undefined) return note('not tried', fixFirst('functions'));
  const { status, code } = await post(url, strangers, await signAsTwilio(authToken, url, strangers));
  if (code === 'host_refused' && status === 403)
    return 'a signed callback reaches the host through the Function';
  if (code === 'host_refused')
    throw advice(
      `the address that the Function has for the host answers ${status}`,
      "set the Functions' CUSTODY_HOST_URL to CUSTODY_PUBLIC_URL",
    );
  if (code === 'host_unreachable')
    throw advice(
      'the Function does not reach the host',
      "compare the Functions' CUSTODY_HOST_URL with CUSTODY_PUBLIC_URL, and CUSTODY_HOST_SECRET with CUSTODY_FUNCTION_SECRETS",
    );
  if (code === 'config_invalid')
    throw advice(
      "the Function's environment is not complete",
      'read its log in the Twilio Console (Functions, the service, Live logs), which names what is missing',
    );
  if (code === 'callback_invalid')
    throw advice(
      'the Function has another address for itself than the one that Twilio calls',
      `set the Functions' CUSTODY_FUNCTIONS_URL to ${new URL(url).origin}`,
    );
  if (code === undefined && (status === 400 || status === 401 || status === 403))
    throw advice(
      'the signature is not accepted',
      'set TWILIO_AUTH_TOKEN to the primary token of the account that has the Functions; their address must be the one Twilio calls',
    );
  throw advice(
    `the Function answers ${status} ${code ?? ''}`.trimEnd(),
    'read its log in the Twilio Console (Functions, the service, Live logs)',
  );
}
