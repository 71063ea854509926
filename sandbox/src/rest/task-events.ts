import type { TaskEvent, World } from '../world.ts';
import { iso8601, pageV1, query } from './format.ts';
import { onHost, type RestApp, type RestDeps, TwilioError } from './route.ts';
import { ownWorkspace } from './tasks.ts';

/** Without `Minutes` TaskRouter looks back no further than this. */
const defaultMinutes = 15;
const origin = 'https://taskrouter.twilio.com';

/** TaskRouter's history of a workspace. Source: https://www.twilio.com/docs/taskrouter/api/event */
export function taskEventRoutes(app: RestApp, { world }: RestDeps): void {
  app.get('/v1/Workspaces/:workspace/Events', onHost('taskrouter'), async (request) => {
    ownWorkspace(world, request);
    const { EventType: type, TaskSid: task, Minutes: minutes = String(defaultMinutes) } = query(request);
    if (!/^\d{1,6}$/.test(minutes)) throw new TwilioError(400, 20001, 'Invalid Minutes');
    const since = Date.now() - Number(minutes) * 60_000;
    const found = eventsOf(world, task).filter(
      (event) => (type === undefined || event.type === type) && event.at.getTime() >= since,
    );
    return pageV1(request, 'events', found.reverse(), (event) => eventBody(world, event));
  });
}

/** By the task's SID where one is named: a search through all would be slower the more tasks there were. */
function eventsOf({ taskEvents }: World, task: string | undefined): TaskEvent[] {
  if (task === undefined) return [...taskEvents.values()];
  const event = taskEvents.get(task);
  return event ? [event] : [];
}

function eventBody({ account }: World, event: TaskEvent): Record<string, unknown> {
  const workspace = `${origin}/v1/Workspaces/${account.workspaceSid}`;
  return {
    sid: event.sid,
    account_sid: account.accountSid,
    workspace_sid: account.workspaceSid,
    event_type: event.type,
    event_date: iso8601(event.at),
    event_date_ms: event.at.getTime(),
    event_data: { task_sid: event.taskSid, task_attributes: event.attributes },
    description: `Task ${event.taskSid} created`,
    actor_sid: event.actor.sid,
    actor_type: event.actor.type,
    actor_url: `${workspace}/${event.actor.type}s/${event.actor.sid}`,
    resource_sid: event.taskSid,
    resource_type: 'task',
    resource_url: `${workspace}/Tasks/${event.taskSid}`,
    source: event.actor.type,
    source_ip_address: '127.0.0.1',
    url: `${workspace}/Events/${event.sid}`,
  };
}
