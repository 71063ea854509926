import type {
  TwilioApi,
  TwilioConversations,
  TwilioFlexConfiguration,
  TwilioTaskQueues,
  TwilioTaskWorkers,
} from '@flex-custody/twilio';
import type { Config } from '../../config.ts';
import type { Db } from '../../db/db.ts';
import type { Run, Work } from '../../runs/runs.ts';
import { keptChecks } from '../kept-checks.ts';
import { readNote, setNote } from '../notes.ts';
import { runChecks } from '../run-checks.ts';
import { type TwilioAsked, twilioChecks } from '../twilio-checks.ts';
import type { Brevo } from './brevo-api.ts';
import { brevoName } from './brevo-crm.ts';
import { brevoChecks } from './checks.ts';
import type { BrevoConfig } from './config/brevo-config.ts';
import type { Mapping } from './mapping.ts';

type Twilio = TwilioFlexConfiguration &
  TwilioConversations &
  TwilioTaskWorkers &
  TwilioTaskQueues &
  Pick<TwilioApi, 'workspace'>;

export interface TestDeps {
  db: Pick<Db, 'query'>;
  brevo: Brevo;
  settings: BrevoConfig;
  mapping: Pick<Mapping, 'attributes'>;
  twilio: Twilio;
  config: Pick<Config, 'workspaceSid' | 'publicUrl' | 'authToken' | 'brevo'>;
}

/** Options: `since` (ISO 8601), `createAttributes`, `sendEvent`. */
export const testConnector =
  (deps: TestDeps): Work =>
  (run) =>
    runChecks(checksFor(deps, run), run);

function checksFor({ db, brevo, settings, mapping, twilio, config }: TestDeps, { options }: Run) {
  const { workspaceSid, publicUrl, authToken } = config;
  const since = typeof options['since'] === 'string' ? new Date(options['since']) : undefined;
  return [
    ...twilioChecks({
      ...{ twilio: asked(twilio), workspaceSid, publicUrl },
      hasAuthToken: authToken !== undefined,
    }),
    ...keptChecks(db, brevoName, since),
    ...brevoChecks({
      ...{ brevo, hasKey: config.brevo?.apiKey !== undefined },
      wanted: {
        attributes: mapping.attributes.map(({ name, type = 'text' }) => ({ name, type })),
        lists: settings.lists,
      },
      createAttributes: options['createAttributes'] === true || settings.create_attributes,
      sendEvent: options['sendEvent'] === true,
      kept: keptAccount(db),
    }),
  ];
}

const accountNote = 'account';
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

const keptAccount = (db: Pick<Db, 'query'>) => ({
  async account() {
    const found = await readNote(db, brevoName, accountNote);
    const text = found?.note['account'];
    return found && typeof text === 'string' && Date.now() - found.at.getTime() < hourMs ? text : undefined;
  },
  keepAccount: (account: string) => setNote(db, brevoName, accountNote, { account }),
});

function asked(twilio: Twilio): TwilioAsked {
  return {
    flexWorkspace: () => twilio.flexConfiguration(),
    conversations: async (signal) => {
      const until = new Date();
      const since = new Date(until.getTime() - dayMs);
      return (await twilio.conversationsPage({ since, until }, undefined, signal)).conversations.length;
    },
    workspace: async () => (await twilio.workspace())?.friendlyName,
    agents: async (signal) => (await twilio.workersPage(undefined, signal))?.workers,
    queues: () => twilio.taskQueues(),
  };
}
