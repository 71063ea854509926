import { brevoName, createBrevoCrm } from '../../connectors/brevo/brevo-crm.ts';
import type { BrevoConfig } from '../../connectors/brevo/config/brevo-config.ts';
import { openBrevoConfig } from '../../connectors/brevo/config/open.ts';
import { connectorLog } from '../../connectors/brevo/connector-log.ts';
import { createMapping } from '../../connectors/brevo/create-mapping.ts';
import { openBrevo } from '../../connectors/brevo/open-brevo.ts';
import { switchOff, switchOn } from '../../connectors/changes.ts';
import { claimForgetting, customerDigests, forgotten } from '../../connectors/customers-table.ts';
import { deliver } from '../../connectors/deliver.ts';
import { followChanges } from '../../connectors/follow-changes.ts';
import { ratesOf } from '../../connectors/history/rates.ts';
import { runHistory } from '../../connectors/history/run-jobs.ts';
import { createCompletions } from '../../connectors/history/task-complete.ts';
import { connectorWorks } from '../../connectors/history/works.ts';
import { noteMessages, takeDueMessages } from '../../connectors/messages.ts';
import { countOutbox } from '../../connectors/outbox-counts.ts';
import type { RemoteNames } from '../../connectors/outbox-table.ts';
import { runDelivery } from '../../connectors/run-jobs.ts';
import { totalsOf } from '../../connectors/totals.ts';
import { taskCompleteRoute } from '../../http/routes/task-complete.ts';
import type { Logger } from '../../log.ts';
import type { Room } from '../../room.ts';
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
  if (!file?.enabled)
    return {
      works: connectorTestWorks(shared),
      async begin() {
        await switchOff(db, accountSid);
        await alarms.resolve(['brevo_paused', 'brevo_behind', 'brevo_uncertain', 'brevo_failed']);
      },
    };
  return brevoRoom(shared, file);
}

/** Flex Insights' measures are below an attribute of their own. */
const pathOf = (measure: string) =>
  /^conversation_(measure|attribute)_\d+$/.test(measure) ? `conversations.${measure}` : measure;

function brevoRoom(shared: Shared, file: BrevoConfig): Room {
  const { alarms, config, db, flexTokens, limits, metrics, queue, twilio } = shared;
  const log = connectorLog(shared.log as Logger, file);
  const { accountSid, authToken, flexOrigins: origins, publicUrl, secondaryAuthToken } = config;
  const connector = brevoName;
  const mapping = createMapping(file);
  const brevo = openBrevo({ db, file, log, metrics, apiKey: () => config.brevo?.apiKey });
  const { crm, notes, onPause, onResumed } = createBrevoCrm({
    ...{ alarms, brevo, db, mapping },
    collisions: file.collisions,
    createAttributes: file.create_attributes,
    resendAfterMs: file.resend_uncertain_after * minuteMs,
  });
  const following = {
    ...{ accountSid, connector, db, mapping },
    ...(file.csat && { csat: { path: pathOf(file.csat.measure) } }),
    settleSeconds: file.settle_seconds,
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
        ...shared,
        messages: {
          take: (most, claimMs) => takeDueMessages(db, connector, most, claimMs),
          note: (counts) => noteMessages(db, counts),
        },
      }),
      ...runDelivery({
        alarms,
        watch: { alarms, connector, db, notes },
        forget: {
          ...{ alarms, brevo, erase: file.erase, log, onPause },
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
    works: { ...connectorWorks(shared), ...connectorTestWorks(shared) },
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
      twilio.limits.set(ratesOf(file.limits));
      await switchOn(db, accountSid);
    },
  };
}
