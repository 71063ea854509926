import { everyone, queueSid } from '../live/parameters.ts';
import type { World } from '../world.ts';
import { iso8601, pageV1, query } from './format.ts';
import { onHost, type RestApp, type RestDeps } from './route.ts';
import { ownWorkspace } from './tasks.ts';

/** TaskRouter's queues: Flex's first one, and every other that a task is in. */
export function taskQueueRoutes(app: RestApp, { world }: RestDeps): void {
  app.get('/v1/Workspaces/:workspace/TaskQueues', onHost('taskrouter'), async (request) => {
    ownWorkspace(world, request);
    const name = query(request)['FriendlyName'];
    const names = new Set([everyone, ...[...world.tasks.values()].flatMap(({ queue }) => queue ?? [])]);
    const found = [...names].filter((one) => name === undefined || one === name);
    return pageV1(request, 'task_queues', found, (one) => queueBody(world, one));
  });
}

function queueBody({ account }: World, name: string): Record<string, unknown> {
  const { accountSid, workspaceSid, createdAt } = account;
  const workspace = `https://taskrouter.twilio.com/v1/Workspaces/${workspaceSid}`;
  const url = `${workspace}/TaskQueues/${queueSid(name)}`;
  return {
    sid: queueSid(name),
    account_sid: accountSid,
    workspace_sid: workspaceSid,
    friendly_name: name,
    assignment_activity_name: null,
    assignment_activity_sid: null,
    reservation_activity_name: null,
    reservation_activity_sid: null,
    max_reserved_workers: 1,
    target_workers: '1==1',
    task_order: 'FIFO',
    date_created: iso8601(createdAt),
    date_updated: iso8601(createdAt),
    url,
    links: { workspace, statistics: `${url}/Statistics` },
  };
}
