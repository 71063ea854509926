import { CustodyError } from '@flex-custody/core';
import { type ConnectorCheck, fix, note, ok, type Verdict } from './check.ts';

/** What the checks ask Twilio. */
export interface TwilioAsked {
  /** Flex's workspace; undefined where the account has no Flex. */
  flexWorkspace(): Promise<{ workspaceSid?: string } | undefined>;
  /** One page of the conversations of the last day: how many it has. */
  conversations(signal: AbortSignal): Promise<number>;
  /** Name of the workspace; undefined where there is none. */
  workspace(): Promise<string | undefined>;
  /** One page of workers; undefined where there is no workspace. */
  agents(signal: AbortSignal): Promise<readonly unknown[] | undefined>;
  queues(signal: AbortSignal): Promise<readonly string[] | undefined>;
}

export interface TwilioCheckDeps {
  twilio: TwilioAsked;
  workspaceSid: string;
  publicUrl: string;
  hasAuthToken: boolean;
}

/** The checks of Twilio's side, in the order in which they make sense. */
export const twilioChecks = (deps: TwilioCheckDeps): ConnectorCheck[] => [
  { name: 'flex-api', look: () => explained(flexApi(deps)) },
  { name: 'conversations-api', look: (signal) => explained(conversationsApi(deps, signal)) },
  { name: 'taskrouter-workspace', look: () => explained(workspace(deps)) },
  { name: 'agents', look: (signal) => explained(agents(deps, signal)) },
  { name: 'queues', look: (signal) => explained(queues(deps, signal)) },
  { name: 'webhook-signature', look: async () => signature(deps) },
];

/** 401 and 403 of Twilio have the same remedy everywhere. */
async function explained(verdict: Promise<Verdict>): Promise<Verdict> {
  try {
    return await verdict;
  } catch (error) {
    if (!(error instanceof CustodyError)) throw error;
    const [detail = error.message] = error.message.split('; ');
    if (error.code === 'twilio_unauthorized')
      return fix(
        detail,
        'check TWILIO_API_KEY and TWILIO_API_SECRET, or TWILIO_AUTH_TOKEN; a restricted key needs the right to read this: Twilio Console, API keys',
      );
    if (error.code === 'twilio_unavailable')
      return fix(
        detail,
        'see https://status.twilio.com, and check firewall and HTTPS_PROXY; at 429 wait a minute',
      );
    throw error;
  }
}

async function flexApi({ twilio, workspaceSid }: TwilioCheckDeps): Promise<Verdict> {
  const found = await twilio.flexWorkspace();
  if (!found) return fix('the account has no Flex', 'check TWILIO_ACCOUNT_SID');
  if (found.workspaceSid !== undefined && found.workspaceSid !== workspaceSid)
    return fix(`Flex works in ${found.workspaceSid}`, `set TWILIO_WORKSPACE_SID to ${found.workspaceSid}`);
  return ok('answers');
}

async function conversationsApi({ twilio }: TwilioCheckDeps, signal: AbortSignal): Promise<Verdict> {
  const n = await twilio.conversations(signal);
  return n > 0
    ? ok('answers, and has conversations of the last day')
    : note(
        'answers, and has no conversation of the last day',
        'nothing is missing where agents took calls alone',
      );
}

async function workspace({ twilio, workspaceSid }: TwilioCheckDeps): Promise<Verdict> {
  const name = await twilio.workspace();
  return name === undefined
    ? fix(
        `there is no workspace ${workspaceSid}`,
        "set TWILIO_WORKSPACE_SID to Flex's (Twilio Console: TaskRouter, Workspaces)",
      )
    : ok(name);
}

async function agents({ twilio }: TwilioCheckDeps, signal: AbortSignal): Promise<Verdict> {
  const some = await twilio.agents(signal);
  if (!some) return fix('there is no such workspace', 'correct taskrouter-workspace first');
  return some.length > 0
    ? ok(`readable, ${some.length} on the first page`)
    : note('there is no worker', 'agents appear once they have logged in to Flex');
}

async function queues({ twilio }: TwilioCheckDeps, signal: AbortSignal): Promise<Verdict> {
  const all = await twilio.queues(signal);
  if (!all) return fix('there is no such workspace', 'correct taskrouter-workspace first');
  return all.length > 0
    ? ok(`${all.length} loaded`)
    : fix('there is no task queue', 'create one: Twilio Console, TaskRouter, Task queues');
}

function signature({ hasAuthToken, publicUrl }: TwilioCheckDeps): Verdict {
  if (!hasAuthToken)
    return fix(
      'there is no auth token, with which alone the signatures of webhooks can be verified',
      'flex-custody secrets set TWILIO_AUTH_TOKEN; an API key is still used for requests',
    );
  const { protocol, hostname } = new URL(publicUrl);
  if (protocol !== 'https:' || /^(localhost|127\.|10\.|192\.168\.|\[)/.test(hostname))
    return note(
      `Twilio cannot reach ${publicUrl}`,
      'set CUSTODY_PUBLIC_URL to the https:// origin that the Internet reaches',
    );
  return ok(`auth token there; Twilio signs for ${publicUrl}`);
}
