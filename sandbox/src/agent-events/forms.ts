import type { World } from '../world.ts';
import type { AgentEvent } from './list.ts';

/** A CloudEvent as Event Streams makes it; `data` is an object. */
export interface CloudEvent {
  specversion: '1.0';
  type: string;
  source: string;
  id: string;
  dataschema: string;
  datacontenttype: 'application/json';
  time: string;
  data: Readonly<Record<string, unknown>>;
}

const schemas = 'https://events-schemas.twilio.com';

/** @param version of the schema, as the subscription asks for it */
export function cloudEvent(world: World, event: AgentEvent, version: number): CloudEvent {
  const { account } = world;
  const { taskRouter } = event;
  const schema = taskRouter ? `TaskRouter.WDSEvent/${version}` : `${event.type}/${version}`;
  return {
    specversion: '1.0',
    type: event.type,
    source: taskRouter
      ? `/v1/Workspaces/${account.workspaceSid}/Events/${taskRouter.sid}`
      : `/2010-04-01/Accounts/${account.accountSid}`,
    id: event.id,
    dataschema: `${schemas}/${schema}`,
    datacontenttype: 'application/json',
    time: event.at.toISOString(),
    data: taskRouter
      ? {
          sid: taskRouter.sid,
          name: taskRouter.type,
          account_sid: account.accountSid,
          account_friendly_name: 'Northwind',
          parent_account_sid: null,
          parent_friendly_name: null,
          timestamp: event.at.toISOString(),
          level: 'INFO',
          group: taskRouter.type.split('.')[0],
          product_name: 'TaskRouter',
          publisher: 'Flex Task Assignment',
          publisher_metadata: null,
          payload_type: 'application/json',
          payload: { ...taskRouter.payload, event_description: taskRouter.description },
        }
      : { ...event.data },
  };
}

/** One record of a Kinesis stream: there `data` is the text of the object. */
export const kinesisText = (event: CloudEvent): string =>
  JSON.stringify({ ...event, data: JSON.stringify(event.data) });

/** The event by which a sink is validated: its id is the account's SID. */
export function testEvent({ account }: World, testId: string): CloudEvent {
  return {
    specversion: '1.0',
    type: 'com.twilio.eventstreams.test-event',
    source: '/v1/Sinks/Test',
    id: account.accountSid,
    dataschema: `${schemas}/EventStreams.TestEvent/1`,
    datacontenttype: 'application/json',
    time: new Date().toISOString(),
    data: { test_id: testId },
  };
}
