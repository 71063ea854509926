import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Reservation, type Task, touchTask, type Worker, type World } from '../world.ts';
import { form, iso8601, oneOf, pageV1, params, query, resource } from './format.ts';
import { notFound, onHost, type RestApp, type RestDeps, TwilioError } from './route.ts';

const attributesLimit = 4096;
const taskStatuses = ['pending', 'reserved', 'assigned', 'canceled', 'completed', 'wrapping'] as const;
const origin = 'https://taskrouter.twilio.com';

/** TaskRouter: tasks with optimistic concurrency, their reservations, and workers. */
export function taskRoutes(app: RestApp, { world, events }: RestDeps): void {
  const base = '/v1/Workspaces/:workspace';
  const on = onHost('taskrouter');
  const search = searchesASecond(3);

  app.get(base, on, async (request) => {
    ownWorkspace(world, request);
    return workspaceBody(world);
  });

  app.get(`${base}/Tasks`, on, async (request) => {
    ownWorkspace(world, request);
    const expression = query(request)['EvaluateTaskAttributes'];
    const matches = expression === undefined ? () => true : attributeMatcher(expression);
    if (expression !== undefined) search();
    const status = query(request)['AssignmentStatus'];
    const found = [...world.tasks.values()].filter(
      (task) => matches(task) && (status === undefined || status.split(',').includes(task.status)),
    );
    return pageV1(request, 'tasks', found, (task) => taskBody(world, task));
  });

  app.get(`${base}/Tasks/:task`, on, async (request, reply) =>
    sendTask(world, findTask(world, request), reply),
  );

  app.post(`${base}/Tasks/:task`, on, async (request, reply) => {
    const task = findTask(world, request);
    mustMatch(request, task);
    const fields = form(request);
    const attributes = fields['Attributes'];
    if (attributes !== undefined) checkAttributes(attributes);
    const status = fields['AssignmentStatus'];
    touchTask(task, {
      ...(attributes === undefined ? {} : { attributes }),
      ...(status === undefined ? {} : { status: oneOf('AssignmentStatus', status, taskStatuses) }),
    });
    events.emit('task.updated', { task: task.sid });
    return sendTask(world, task, reply);
  });

  app.get(`${base}/Tasks/:task/Reservations`, on, async (request) => {
    const task = findTask(world, request);
    const found = [...world.reservations.values()].filter((one) => one.taskSid === task.sid);
    return pageV1(request, 'reservations', found, (one) => reservationBody(world, one));
  });

  app.get(`${base}/Tasks/:task/Reservations/:reservation`, on, async (request, reply) => {
    const task = findTask(world, request);
    const reservation = world.reservations.get(params(request)['reservation'] ?? '');
    if (reservation?.taskSid !== task.sid) throw notFound(resource(request));
    reply.header('etag', '"0"');
    return reservationBody(world, reservation);
  });

  app.get(`${base}/Workers`, on, async (request) => {
    ownWorkspace(world, request);
    const name = query(request)['FriendlyName'];
    const found = [...world.workers.values()].filter(
      (worker) => name === undefined || worker.friendlyName === name,
    );
    return pageV1(request, 'workers', found, (worker) => workerBody(world, worker));
  });

  app.get(`${base}/Workers/:worker`, on, async (request, reply) => {
    ownWorkspace(world, request);
    const worker = world.workers.get(params(request)['worker'] ?? '');
    if (!worker) throw notFound(resource(request));
    reply.header('etag', '"0"');
    return workerBody(world, worker);
  });

  app.get(`${base}/Workers/:worker/Reservations`, on, async (request) => {
    ownWorkspace(world, request);
    const worker = world.workers.get(params(request)['worker'] ?? '');
    if (!worker) throw notFound(resource(request));
    const status = query(request)['ReservationStatus'];
    const found = [...world.reservations.values()].filter(
      (one) => one.workerSid === worker.sid && (status === undefined || one.status === status),
    );
    return pageV1(request, 'reservations', found.reverse(), (one) => reservationBody(world, one));
  });
}

/** Twilio's limit on `EvaluateTaskAttributes`, by default and for a workspace. */
function searchesASecond(most: number): () => void {
  let last: readonly number[] = [];
  return () => {
    const at = performance.now();
    last = last.filter((one) => one > at - 1_000);
    if (last.length >= most) throw new TwilioError(429, 20429, 'Too Many Requests');
    last = [...last, at];
  };
}

export function ownWorkspace(world: World, request: FastifyRequest): void {
  if (params(request)['workspace'] !== world.account.workspaceSid) throw notFound(resource(request));
}

function findTask(world: World, request: FastifyRequest): Task {
  ownWorkspace(world, request);
  const task = world.tasks.get(params(request)['task'] ?? '');
  if (!task) throw notFound(resource(request));
  return task;
}

const etagOf = (task: Task) => `"${task.version}"`;

function sendTask(world: World, task: Task, reply: FastifyReply): Record<string, unknown> {
  reply.header('etag', etagOf(task));
  return taskBody(world, task);
}

/** If-Match: quoted as the ETag came, or bare as Twilio's own template sends it. */
function mustMatch(request: FastifyRequest, task: Task): void {
  const given = request.headers['if-match'];
  if (given === undefined || given === '*' || given === etagOf(task) || given === String(task.version))
    return;
  throw new TwilioError(412, 20412, 'Precondition failed: the task was changed by someone else');
}

function checkAttributes(text: string): void {
  if (text.length > attributesLimit)
    throw new TwilioError(400, 20001, `Attributes must not be longer than ${attributesLimit} characters`);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  } catch {
    // Falls through to the refusal.
  }
  throw new TwilioError(400, 20001, 'Attributes must be a JSON object');
}

/** The expressions that Twilio's own samples use: `path == 'value'`. Others are refused rather than guessed at. */
function attributeMatcher(expression: string): (task: Task) => boolean {
  const parts = /^\s*([\w.]+)\s*==\s*(['"])([^'"\\]*)\2\s*$/.exec(expression);
  const path = parts?.[1]?.split('.');
  if (!path)
    throw new TwilioError(400, 20001, 'EvaluateTaskAttributes is not an expression that can be evaluated');
  return (task) => {
    let value: unknown = JSON.parse(task.attributes);
    for (const key of path) {
      value =
        typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
    }
    return value === parts?.[3];
  };
}

function taskBody(world: World, task: Task): Record<string, unknown> {
  const { accountSid, workspaceSid } = world.account;
  const workspace = `${origin}/v1/Workspaces/${workspaceSid}`;
  const url = `${workspace}/Tasks/${task.sid}`;
  return {
    sid: task.sid,
    account_sid: accountSid,
    workspace_sid: workspaceSid,
    assignment_status: task.status,
    attributes: task.attributes,
    addons: '{}',
    age: Math.round((Date.now() - task.createdAt.getTime()) / 1000),
    date_created: iso8601(task.createdAt),
    date_updated: iso8601(task.updatedAt),
    task_queue_entered_date: iso8601(task.createdAt),
    virtual_start_time: iso8601(task.createdAt),
    priority: 0,
    reason: null,
    timeout: 86_400,
    task_queue_sid: null,
    task_queue_friendly_name: 'Everyone',
    task_channel_sid: null,
    task_channel_unique_name: 'voice',
    workflow_sid: null,
    workflow_friendly_name: 'Assign to Anyone',
    ignore_capacity: false,
    routing_target: null,
    url,
    links: { workspace, reservations: `${url}/Reservations` },
  };
}

function reservationBody(world: World, reservation: Reservation): Record<string, unknown> {
  const { accountSid, workspaceSid } = world.account;
  const workspace = `${origin}/v1/Workspaces/${workspaceSid}`;
  const task = `${workspace}/Tasks/${reservation.taskSid}`;
  return {
    sid: reservation.sid,
    account_sid: accountSid,
    workspace_sid: workspaceSid,
    task_sid: reservation.taskSid,
    worker_sid: reservation.workerSid,
    worker_name: world.workers.get(reservation.workerSid)?.friendlyName ?? null,
    reservation_status: reservation.status,
    date_created: iso8601(reservation.createdAt),
    date_updated: iso8601(reservation.updatedAt),
    url: `${task}/Reservations/${reservation.sid}`,
    links: { task, workspace, worker: `${workspace}/Workers/${reservation.workerSid}` },
  };
}

function workerBody(world: World, worker: Worker): Record<string, unknown> {
  const { accountSid, workspaceSid } = world.account;
  const workspace = `${origin}/v1/Workspaces/${workspaceSid}`;
  return {
    sid: worker.sid,
    account_sid: accountSid,
    workspace_sid: workspaceSid,
    friendly_name: worker.friendlyName,
    attributes: worker.attributes,
    activity_name: 'Available',
    activity_sid: null,
    available: true,
    date_created: iso8601(worker.createdAt),
    date_updated: iso8601(worker.createdAt),
    date_status_changed: iso8601(worker.createdAt),
    url: `${workspace}/Workers/${worker.sid}`,
    links: { workspace, reservations: `${workspace}/Workers/${worker.sid}/Reservations` },
  };
}

function workspaceBody({ account }: World): Record<string, unknown> {
  const createdAt = iso8601(account.createdAt);
  return {
    sid: account.workspaceSid,
    account_sid: account.accountSid,
    friendly_name: 'Flex Task Assignment',
    date_created: createdAt,
    date_updated: createdAt,
    default_activity_name: 'Offline',
    default_activity_sid: null,
    timeout_activity_name: 'Offline',
    timeout_activity_sid: null,
    event_callback_url: null,
    events_filter: null,
    multi_task_enabled: true,
    prioritize_queue_order: 'FIFO',
    url: `${origin}/v1/Workspaces/${account.workspaceSid}`,
    links: {},
  };
}
