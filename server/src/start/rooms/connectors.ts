import { brevoName, createBrevoCrm } from '../../connectors/brevo/brevo-crm.ts';
import type { BrevoConfig } from '../../connectors/brevo/config/brevo-config.ts';
import { openBrevoConfig } from '../../connectors/brevo/config/open.ts';
import { connectorLog } from '../../connectors/brevo/connector-log.ts';
import { createMapping } from '../../connectors/brevo/create-mapping.ts';
import { openBrevo } from '../../connectors/brevo/open-brevo.ts';
import { settingsOf } from '../../connectors/brevo/settings.ts';
import { switchOff, switchOn } from '../../connectors/changes.ts';
import { claimForgetting, customerDigests, forgotten } from '../../connectors/customers-table.ts';
import { deliver } from '../../connectors/deliver.ts';
import { followChanges } from '../../connectors/follow-changes.ts';
import { runHistory } from '../../connectors/history/run-jobs.ts';
import { createCompletions } from '../../connectors/history/task-complete.ts';
import { noteMessages, takeDueMessages } from '../../connectors/messages.ts';
import { countOutbox } from '../../connectors/outbox-counts.ts';
import type { RemoteNames } from '../../connectors/outbox-table.ts';
import { runDelivery } from '../../connectors/run-jobs.ts';
import { totalsOf } from '../../connectors/totals.ts';
import { taskCompleteRoute } from '../../http/routes/task-complete.ts';
import type { Room } from '../../room.ts';
import { connectorSyncWorks } from '../connector-sync-work.ts';
import { connectorTestWorks } from '../connector-test-work.ts';
import type { Shared } from './shared.ts';

const minuteMs = 60_000;
/** Customers that one claim of the job `forget` has, and how long it lasts. */
const forgetAtOnce = 20;
const forgetMs = 10 * minuteMs;

/** Sends interactions to Brevo as the file of CUSTODY_BREVO_FILE says; without one, changes of contacts are not noted. */
export function connectorsRoom(shared: Shared): Room {
  const { alarms, config, db } = shared;
  const { accountSid } = config;
  const file = openBrevoConfig(config);
  const works = { ...connectorSyncWorks(shared), ...connectorTestWorks(shared) };
  if (!file?.enabled)
    return {
      works,
      async begin() {
        await switchOff(db, accountSid);
        await alarms.resolve(['brevo_paused', 'brevo_behind', 'brevo_uncertain', 'brevo_failed']);
      },
    };
  return { ...brevoRoom(shared, file), works };
}

function brevoRoom(shared: Shared, file: BrevoConfig): Room {
  const { alarms, config, db, flexTokens, limits, metrics, queue, twilio } = shared;
  const log = connectorLog(shared.log, file);
  const { accountSid, authToken, flexOrigins: origins, publicUrl, secondaryAuthToken } = config;
  const connector = brevoName;
  const settings = settingsOf(file);
  twilio.limits.set(settings.rates);
  const mapping = createMapping(file);
  const brevo = openBrevo({
    ...{ db, log, metrics, limits: settings.limits },
    apiKey: () => config.brevo?.apiKey,
  });
  const { crm, notes, onPause, onResumed } = createBrevoCrm({
    ...{ alarms, brevo, db, mapping },
    ...settings.crm,
  });
  const following = {
    ...{ accountSid, connector, db, mapping },
    ...{ ...settings.following, log },
    digest: customerDigests(config),
  };
  return {
    routes: [
      (scope) =>
        taskCompleteRoute(scope, {
          ...{ flexTokens, limits, origins, publicUrl },
          authTokens: [authToken, secondaryAuthToken].filter((token) => token !== undefined),
          completed: createCompletions({ connector, db, queue }),
        }),
    ],
    jobs: [
      ...runHistory({
        ...{ ...shared, log },
        messages: {
          take: (most, claimMs) => takeDueMessages(db, connector, most, claimMs),
          note: (counts) => noteMessages(db, counts),
        },
      }),
      ...runDelivery({
        alarms,
        watch: { alarms, connector, db, notes },
        forget: {
          ...{ alarms, brevo, erase: settings.erase, log, onPause },
          claim: async () =>
            (await claimForgetting(db, connector, forgetAtOnce, forgetMs)).map(
              ({ remoteNames, ...customer }) => ({
                ...customer,
                ...(remoteNames !== undefined && { remoteNames: remoteNames as RemoteNames }),
              }),
            ),
          forgotten: (id) => forgotten(db, id),
          isPaused: async () => (await notes.read()) !== undefined,
        },
      }),
    ],
    consumers: [
      followChanges(following),
      {
        name: 'connector-delivery',
        run: (signal) =>
          deliver({ ...{ connector, crm, db, log, notes, onResumed }, totals: totalsOf }, signal),
      },
    ],
    metrics: { connector: () => countOutbox(db, connector) },
    async begin() {
      await switchOn(db, accountSid);
    },
  };
}
