import type { AccountSid, WorkspaceSid } from '@flex-custody/core';
import type { TaskRouterEvent } from '@flex-custody/twilio';

const prefix = 'com.twilio.taskrouter.';

/** Where the Events API and Event Streams name the same event differently. */
const streamNames: Readonly<Record<string, string>> = {
  'worker.activity': 'worker.activity.update',
  'worker.attributes': 'worker.attributes.update',
  'worker.capacity': 'worker.capacity.update',
  'worker.channel.availability': 'worker.channel.availability.update',
  'task-queue.expression.updated': 'task-queue.expression-updated',
};

/** Of TaskRouter's Events API, as Event Streams would have sent it; `data` is an object. */
export interface RepairedEvent {
  specversion: '1.0';
  type: string;
  source: string;
  /** The SID of the event: the stream's own id is not known here. */
  id: string;
  dataschema: string;
  datacontenttype: 'application/json';
  time: string;
  data: Readonly<Record<string, unknown>>;
}

/**
 * The event in the form of the stream's. `event_data` becomes the payload, and what the API states beside it comes in
 * under the names that the stream's payload has; attributes stay the JSON text that they are in both.
 */
export function asCloudEvent(
  event: TaskRouterEvent,
  { accountSid, workspaceSid }: { accountSid: AccountSid; workspaceSid: WorkspaceSid },
): RepairedEvent {
  const { sid, at, description, resourceSid, resourceType, data } = event;
  const name = streamNames[event.type] ?? event.type;
  const ms = at.getTime();
  return {
    specversion: '1.0',
    type: prefix + name,
    source: `/v1/Workspaces/${workspaceSid}/Events/${sid}`,
    id: sid,
    dataschema: 'https://events-schemas.twilio.com/TaskRouter.WDSEvent/4',
    datacontenttype: 'application/json',
    time: at.toISOString(),
    data: {
      sid,
      name,
      account_sid: accountSid,
      timestamp: at.toISOString(),
      level: 'INFO',
      group: name.split('.')[0],
      product_name: 'TaskRouter',
      publisher: 'Flex Task Assignment',
      payload_type: 'application/json',
      payload: {
        ...data,
        sid,
        account_sid: accountSid,
        workspace_sid: workspaceSid,
        eventtype: name,
        event_description: description,
        resource_sid: resourceSid,
        resource_type: resourceType,
        timestamp: String(Math.floor(ms / 1_000)),
        timestamp_ms: String(ms),
      },
    },
  };
}
