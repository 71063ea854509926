import { CustodyError, isObject, jsonFields, type ReservationSid, type TaskSid } from '@flex-custody/core';
import { type Connection, expected, readAtTurn } from './connection.ts';
import type { AdjustablePace } from './pace.ts';

/** An entry of TaskRouter's history. */
export interface TaskRouterEvent {
  /** EV… */
  sid: string;
  /** Such as `reservation.accepted`. */
  type: string;
  at: Date;
  description: string;
  resourceSid: string;
  resourceType: string;
  /** `event_data`, in the names that TaskRouter uses. */
  data: Readonly<Record<string, unknown>>;
}

export interface TaskEventPage {
  events: TaskRouterEvent[];
  /** Absent on the last. */
  next?: string;
}

/** Both ends are included, in whole seconds. */
export interface TaskEventPeriod {
  since: Date;
  until: Date;
  /** Only events that pertain to this task or reservation. */
  taskSid?: TaskSid;
  reservationSid?: ReservationSid;
}

/** Source: https://www.twilio.com/docs/taskrouter/api/event */
export interface TwilioTaskEvents {
  /**
   * The workspace's events of a period, 1,000 at a time; `next` is asked for as
   * `pageUrl`. Events older than 30 days have no attributes.
   * @throws CustodyError as of `TwilioApi`; `twilio_answer` for a `pageUrl` that is not at TaskRouter, or is no page
   */
  taskEventsPage(period: TaskEventPeriod, pageUrl?: string, signal?: AbortSignal): Promise<TaskEventPage>;
}

const pageSize = 1_000;
const origin = 'https://taskrouter.twilio.com';

export function taskEvents({ workspace, workspaceSid }: Connection, pace: AdjustablePace): TwilioTaskEvents {
  return {
    async taskEventsPage({ since, until, ...about }, pageUrl, signal) {
      if (pageUrl !== undefined && !pageUrl.startsWith(`${origin}/v1/Workspaces/${workspaceSid}/Events?`))
        throw new CustodyError('twilio_answer', "the next page of TaskRouter's events is not at TaskRouter");
      const ask = async () => {
        const list = (await workspace()).events;
        if (pageUrl !== undefined) return list.getPage(pageUrl);
        return list.page({ startDate: since, endDate: until, ...about, pageSize });
      };
      const page = await readAtTurn(pace, "TaskRouter's events", ask, signal);
      // Taken for an empty page it would be the end of the list.
      if (!page) throw new CustodyError('twilio_answer', 'TaskRouter has no such page of its events');
      const next = page.nextPageUrl;
      return { events: page.instances.map(eventOf), ...(next && { next }) };
    },
  };
}

function eventOf(found: {
  sid: string;
  eventType: string;
  eventDate: Date | null;
  eventDateMs: number | null;
  eventData: unknown;
  description: string | null;
  resourceSid: string | null;
  resourceType: string | null;
}): TaskRouterEvent {
  const at = new Date(found.eventDateMs ?? found.eventDate?.getTime() ?? Number.NaN);
  const { eventData: data } = found;
  return {
    sid: expected(/^EV[0-9a-f]{32}$/.test(found.sid) ? found.sid : undefined, 'event SID'),
    type: found.eventType ?? '',
    at: expected(Number.isNaN(at.getTime()) ? undefined : at, 'time of an event'),
    description: found.description ?? '',
    resourceSid: found.resourceSid ?? '',
    resourceType: found.resourceType ?? '',
    // Twilio's examples have an object, and the JSON text of one.
    data: typeof data === 'string' ? jsonFields(data) : isObject(data) ? data : {},
  };
}
