import { asCallSid, asConferenceSid } from '@flex-custody/core';
import type { CreatedTask, TwilioCalls } from './calls-api.ts';
import { type Connection, expected, read } from './connection.ts';
import { recordings } from './recordings.ts';

/** As many as Twilio lists within the time that a request may take. */
const pageSize = 500;
/** TaskRouter keeps attributes in its events for so long; asked for nothing it answers for 15 minutes. */
const eventMinutes = 43_200;

const valid = (date: Date | null | undefined): Date | undefined =>
  date instanceof Date && !Number.isNaN(date.getTime()) ? date : undefined;

/** The part of the client that knows whose calls they are. */
export function callFacts(connection: Connection): TwilioCalls {
  const { account, workspace } = connection;
  const { recordingsPage } = recordings(connection);
  return {
    callFacts: (sid) =>
      read('a call', async () => {
        const found = await (await account()).calls(sid).fetch();
        const parentCallSid = asCallSid(found.parentCallSid);
        const startedAt = valid(found.startTime) ?? valid(found.dateCreated);
        const endedAt = valid(found.endTime);
        return {
          sid,
          from: found.from ?? '',
          to: found.to ?? '',
          direction: found.direction ?? '',
          ...(parentCallSid && { parentCallSid }),
          ...(startedAt && { startedAt }),
          ...(endedAt && { endedAt }),
        };
      }),
    async liveConferencesAll() {
      const found = await read('the conferences in progress', async () =>
        (await account()).conferences.list({ status: 'in-progress', pageSize }),
      );
      return (found ?? []).map(({ sid, friendlyName, dateCreated }) => ({
        sid: expected(asConferenceSid(sid), 'conference SID'),
        friendlyName: friendlyName ?? '',
        createdAt: expected(valid(dateCreated), 'start of a conference'),
      }));
    },
    async recordingsSince(since) {
      const all = [];
      let next: string | undefined;
      do {
        const page = await recordingsPage({ since }, next);
        all.push(...page.recordings);
        next = page.next;
      } while (next !== undefined);
      return all.map(({ callSid, conferenceSid, status }) => ({
        ...(callSid && { callSid }),
        ...(conferenceSid && { conferenceSid }),
        status,
      }));
    },
    taskCreated: (taskSid) =>
      read('the creation of a task', async () => {
        const eventType = 'task.created';
        const [event] = await (await workspace()).events.list({
          eventType,
          taskSid,
          minutes: eventMinutes,
          limit: 1,
        });
        const attributes = attributesIn(event?.eventData);
        const createdAt = valid(event?.eventDate);
        if (!event || event.eventType !== eventType || attributes === undefined || !createdAt)
          return undefined;
        return { attributes, byWorker: isByWorker(event), createdAt } satisfies CreatedTask;
      }),
  };
}

function isByWorker({ actorSid, actorType }: { actorSid: string | null; actorType: string | null }): boolean {
  return /worker/i.test(actorType ?? '') || (actorSid ?? '').startsWith('WK');
}

/** Twilio's examples have the event's data as an object, and as the JSON text of one. */
function attributesIn(data: unknown): string | undefined {
  let fields = data;
  if (typeof data === 'string') {
    try {
      fields = JSON.parse(data);
    } catch {
      return undefined;
    }
  }
  if (typeof fields !== 'object' || fields === null) return undefined;
  const attributes = (fields as Record<string, unknown>)['task_attributes'];
  return typeof attributes === 'string' ? attributes : undefined;
}
