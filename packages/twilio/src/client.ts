import { asCallSid, asReservationSid, asTaskSid, asWorkerSid, CustodyError } from '@flex-custody/core';
import type { TwilioApi, TwilioReservation } from './api.ts';
import type { TwilioCalls } from './calls-api.ts';
import { callFacts } from './calls-client.ts';
import { connect, expected, read, readAtTurn, type TwilioConfig } from './connection.ts';
import { conversationsOf, type TwilioConversations } from './conversations.ts';
import { isChanged, isNotFound, twilioError } from './errors.ts';
import { eventStreams, type TwilioEventStreams } from './event-streams.ts';
import {
  flexConfigurations,
  type TwilioFlexConfiguration,
  type TwilioFlexPlugins,
} from './flex-configuration.ts';
import type { TwilioLive } from './live-api.ts';
import { liveCalls } from './live-client.ts';
import { createPaces, type TwilioLimits } from './paces.ts';
import { recordings } from './recordings.ts';
import { type TwilioTaskEvents, taskEvents } from './task-events.ts';
import { type TwilioTaskQueues, taskQueues } from './task-queues.ts';
import { type TwilioTaskState, taskStates } from './task-state.ts';
import { type TwilioTaskWorkers, taskWorkers } from './task-workers.ts';

const date = (value: Date | null | undefined, what: string): Date =>
  expected(value instanceof Date && !Number.isNaN(value.getTime()) ? value : undefined, what);

function taskTag(header: string | undefined): string {
  const etag = ifMatchOf(header);
  if (etag !== undefined) return etag;
  // Without it a write would take away what others wrote since; the next answer may well carry one.
  throw new CustodyError('twilio_etag_missing', 'Twilio answered with a task without its ETag');
}

/**
 * The header is a JSON string (`"7"`), and what Twilio's own Flex template sends back is the string inside it; the
 * quoted form is not known to be taken.
 */
export function ifMatchOf(etag: string | undefined): string | undefined {
  if (!etag) return undefined;
  const quoted = /^"(.*)"$/.exec(etag);
  return quoted ? quoted[1] : etag;
}

function reservationOf(found: {
  sid: string;
  taskSid: string;
  workerSid: string;
  dateUpdated: Date;
}): TwilioReservation {
  return {
    sid: expected(asReservationSid(found.sid), 'reservation SID'),
    taskSid: expected(asTaskSid(found.taskSid), 'task SID of a reservation'),
    workerSid: expected(asWorkerSid(found.workerSid), 'worker SID of a reservation'),
    dateUpdated: date(found.dateUpdated, 'reservation date'),
  };
}

/** Its Date states whole seconds, rounded down, of some moment between question and answer. */
function aheadOf(date: string | undefined, sentAt: number, receivedAt: number): number | undefined {
  const theirs = Date.parse(date ?? '');
  return Number.isNaN(theirs) ? undefined : theirs + 500 - (sentAt + receivedAt) / 2;
}

/** The one client of Twilio's REST API. */
export function createTwilio(
  config: TwilioConfig,
): TwilioApi &
  TwilioLive &
  TwilioCalls &
  TwilioTaskState &
  TwilioTaskQueues &
  TwilioTaskWorkers &
  TwilioConversations &
  TwilioTaskEvents &
  TwilioEventStreams &
  TwilioFlexConfiguration &
  TwilioFlexPlugins & { limits: TwilioLimits } {
  const connection = connect(config);
  const { account, workspace } = connection;
  const { paces, limits } = createPaces();
  return {
    ...liveCalls(connection),
    ...callFacts(connection),
    ...taskStates(connection),
    ...taskQueues(connection, paces.taskRouter),
    ...taskWorkers(connection, paces.taskRouter),
    ...taskEvents(connection, paces.taskEvents),
    ...conversationsOf(connection, paces.conversations),
    limits,
    ...eventStreams(connection),
    ...flexConfigurations(connection, paces.flex),
    ...recordings(connection),
    call: (sid) =>
      read('a call', async () => {
        const found = await (await account()).calls(sid).fetch();
        return { sid, to: found.to ?? '' };
      }),
    task: (sid) =>
      read('a task', async () => {
        const { body, headers } = await (await workspace()).tasks(sid).fetchWithHttpInfo();
        return {
          sid,
          attributes: body.attributes ?? '{}',
          ...(body.taskQueueFriendlyName && { queue: body.taskQueueFriendlyName }),
          etag: taskTag(headers['etag']),
          dateUpdated: date(body.dateUpdated, 'task date'),
        };
      }),
    async updateTask(sid, attributesText, etag) {
      const task = (await workspace()).tasks(sid);
      try {
        await task.update({ attributes: attributesText, ifMatch: etag });
        return 'ok';
      } catch (error) {
        if (isChanged(error)) return 'changed';
        if (isNotFound(error)) return 'gone';
        throw twilioError('a task to be updated', error);
      }
    },
    async findTasks(expression, signal) {
      const ask = async () =>
        (await workspace()).tasks.list({ evaluateTaskAttributes: expression, limit: 2 });
      const found = await readAtTurn(paces.searches, 'tasks by their attributes', ask, signal);
      return (found ?? []).map((task) => expected(asTaskSid(task.sid), 'task SID'));
    },
    reservation: (task, sid) =>
      read('a reservation', async () => {
        return reservationOf(await (await workspace()).tasks(task).reservations(sid).fetch());
      }),
    async reservations(task) {
      const found = await read('the reservations of a task', async () =>
        (await workspace()).tasks(task).reservations.list({ limit: 20 }),
      );
      return (found ?? []).map(reservationOf);
    },
    conference: (sid) =>
      read('a conference', async () => {
        const found = await (await account()).conferences(sid).fetch();
        return { sid, friendlyName: found.friendlyName ?? '' };
      }),
    worker: (sid) =>
      read('a worker', async () => {
        const found = await (await workspace()).workers(sid).fetch();
        return { sid, friendlyName: found.friendlyName ?? '', attributes: found.attributes ?? '{}' };
      }),
    async workersNamed(friendlyName) {
      const found = await read('workers by name', async () =>
        (await workspace()).workers.list({ friendlyName, limit: 2 }),
      );
      return (found ?? []).flatMap((worker) =>
        worker.friendlyName === friendlyName ? [expected(asWorkerSid(worker.sid), 'worker SID')] : [],
      );
    },
    async participants(conference) {
      const found = await read('the participants of a conference', async () =>
        (await account()).conferences(conference).participants.list({ limit: 20 }),
      );
      return (found ?? []).flatMap((participant) => asCallSid(participant.callSid) ?? []);
    },
    account: () =>
      // Field by field: the SDK's object holds the auth token as well.
      read('the account', async () => {
        const of = await account();
        const sentAt = Date.now();
        const { body, headers } = await of.fetchWithHttpInfo();
        const aheadMs = aheadOf(headers['date'], sentAt, Date.now());
        return {
          friendlyName: body.friendlyName,
          status: body.status,
          ...(aheadMs !== undefined && { aheadMs }),
        };
      }),
    workspace: () =>
      read('the workspace', async () => {
        const { friendlyName } = await (await workspace()).fetch();
        return { friendlyName };
      }),
  };
}
