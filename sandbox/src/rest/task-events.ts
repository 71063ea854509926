import type { AgentEvent, OfTaskRouter } from '../agent-events/list.ts';
import type { World } from '../world.ts';
import { iso8601, pageV1, query } from './format.ts';
import { onHost, type RestApp, type RestDeps, TwilioError } from './route.ts';
import { ownWorkspace } from './tasks.ts';

/** Without `Minutes` TaskRouter looks back no further than this. */
const defaultMinutes = 15;
/** Of older events the attributes are redacted. */
const attributesDays = 30;
const origin = 'https://taskrouter.twilio.com';

/** TaskRouter's history of a workspace, newest first. Source: https://www.twilio.com/docs/taskrouter/api/event */
export function taskEventRoutes(app: RestApp, { world }: RestDeps): void {
  app.get('/v1/Workspaces/:workspace/Events', onHost('taskrouter'), async (request) => {
    ownWorkspace(world, request);
    const asked = query(request);
    const { since, until } = periodOf(asked);
    const { EventType: type, TaskSid: task, ReservationSid: reservation } = asked;
    const { WorkerSid: worker, TaskQueueSid: queue, WorkflowSid: workflow, TaskChannel: channel } = asked;
    const wanted: [string, string | undefined][] = [
      ['eventtype', type],
      ['task_sid', task],
      ['reservation_sid', reservation],
      ['worker_sid', worker],
      ['task_queue_sid', queue],
      ['workflow_sid', workflow],
      ['task_channel_unique_name', channel],
      ['sid', asked['Sid']],
    ];
    const found = historyOf(world, task)
      .filter(({ at, payload }) => {
        if (at.getTime() < since || at.getTime() > until) return false;
        return wanted.every(([field, value]) => value === undefined || payload[field] === value);
      })
      .sort((a, b) => b.at.getTime() - a.at.getTime());
    return pageV1(request, 'events', found, (event) => eventBody(world, event));
  });
}

type Entry = OfTaskRouter & Pick<AgentEvent, 'at'>;

function historyOf(world: World, task: string | undefined): Entry[] {
  const all = task === undefined ? world.agentEvents.all() : world.agentEvents.ofTask(task);
  return all.flatMap(({ at, taskRouter }) => {
    if (!taskRouter) return [];
    if (taskRouter.type !== 'task.created') return { ...taskRouter, at };
    // A test may take away how a task was made, or change when.
    const known = world.taskEvents.get(taskRouter.payload['task_sid'] ?? '');
    if (!known) return [];
    return {
      ...taskRouter,
      at: known.at,
      payload: { ...taskRouter.payload, task_attributes: known.attributes },
    };
  });
}

function periodOf(asked: Record<string, string | undefined>): { since: number; until: number } {
  const { Minutes: minutes, StartDate: start, EndDate: end } = asked;
  const date = (name: string, text: string) => {
    const at = Date.parse(text);
    if (Number.isNaN(at)) throw new TwilioError(400, 20001, `Invalid ${name}`);
    return at;
  };
  if (minutes !== undefined && !/^\d{1,6}$/.test(minutes))
    throw new TwilioError(400, 20001, 'Invalid Minutes');
  const back = (count: number) => Date.now() - count * 60_000;
  return {
    since: start !== undefined ? date('StartDate', start) : back(Number(minutes ?? defaultMinutes)),
    // Whole seconds, and the last of them is included.
    until: end !== undefined ? date('EndDate', end) + 999 : Number.POSITIVE_INFINITY,
  };
}

function eventBody({ account }: World, event: Entry): Record<string, unknown> {
  const workspace = `${origin}/v1/Workspaces/${account.workspaceSid}`;
  const { actor, resource } = event;
  const isOld = event.at.getTime() < Date.now() - attributesDays * 24 * 60 * 60_000;
  // What the payload of Event Streams has beside it is in fields of the event itself.
  const {
    sid: _s,
    eventtype: _e,
    resource_sid: _r,
    resource_type: _t,
    account_sid: _a,
    ...rest
  } = event.payload;
  const { timestamp: _i, timestamp_ms: _m, ...data } = rest;
  return {
    sid: event.sid,
    account_sid: account.accountSid,
    workspace_sid: account.workspaceSid,
    event_type: event.type,
    event_date: iso8601(event.at),
    event_date_ms: event.at.getTime(),
    event_data: isOld ? { ...data, task_attributes: '{}', worker_attributes: '{}' } : data,
    description: event.description,
    actor_sid: actor.sid,
    actor_type: actor.type,
    actor_url: `${workspace}/${actor.type}s/${actor.sid}`,
    resource_sid: resource.sid,
    resource_type: resource.type,
    resource_url: `${workspace}/${resource.type === 'worker' ? 'Workers' : 'Tasks'}/${resource.sid}`,
    source: actor.type,
    source_ip_address: '127.0.0.1',
    url: `${workspace}/Events/${event.sid}`,
  };
}
