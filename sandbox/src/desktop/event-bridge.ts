import type { WebSocket } from 'ws';
import type { LiveEvent } from '../live/exchange.ts';
import { everyone } from '../live/parameters.ts';
import { Refused } from '../refused.ts';
import type { Transfer, Worker } from '../world.ts';
import { type DesktopDeps, jsonOf, type SocketEnd } from './hub.ts';
import type { Seat } from './session.ts';
import {
  type Activity,
  activities,
  activityShape,
  channelShapes,
  queueShape,
  reservationShape,
  taskShape,
  transferShape,
  workerShape,
} from './shapes.ts';

/** One request of the TaskRouter SDK, tunnelled through a POST to event-bridge. */
export interface Tunnelled {
  url: string;
  method: string;
  params: Record<string, unknown>;
}

export interface EventBridge {
  socket: SocketEnd;
  /** Answers `{payload}`, or throws what TaskRouter would refuse. */
  request(seat: Seat, asked: Tunnelled): unknown;
  close(): void;
}

const tokenLifeMs = 60 * 60 * 1000;

/** TaskRouter as a worker's browser reaches it: requests by POST, events by WebSocket. */
export function createEventBridge(deps: DesktopDeps): EventBridge {
  const { world, events, exchange, seats } = deps;
  const sockets = new Map<WebSocket, Seat>();

  const send = (workerSid: string | undefined, event_type: string, payload: unknown) => {
    if (payload === undefined) return;
    for (const [socket, seat] of sockets)
      if (seat.worker.sid === workerSid) socket.send(JSON.stringify({ event_type, payload }));
  };
  const stop = exchange.on((event) => forward(event));
  const forward = (event: LiveEvent) => {
    switch (event.of) {
      case 'reservation': {
        const { reservation, name } = event;
        return send(reservation.workerSid, `reservation.${name}`, reservationShape(world, reservation));
      }
      case 'task': {
        const workers = [...world.reservations.values()]
          .filter((one) => one.taskSid === event.task.sid)
          .map((one) => one.workerSid);
        for (const worker of new Set(workers)) send(worker, `task.${event.name}`, taskShape(event.task));
        return;
      }
      case 'transfer': {
        const from = world.reservations.get(event.transfer.initiatingReservation);
        return send(from?.workerSid, `task.${event.name}`, transferShape(world, event.transfer));
      }
    }
  };

  const list = (contents: readonly unknown[]) => ({
    payload: { contents, after_sid: null, total: contents.length, meta: { next_token: null } },
  });
  /** Another worker's activity, also where no desktop of theirs is open: Available, so that a call can be transferred there. */
  const shapeOf = (worker: Worker) => {
    const seat = seats.of(worker.sid);
    const [available] = activities;
    return workerShape(world, worker, seat?.activity ?? (available as Activity), seat?.version ?? 1);
  };
  const mine = (seat: Seat, sid: string) => {
    const reservation = world.reservations.get(sid);
    if (reservation?.workerSid !== seat.worker.sid) throw new Refused('there is no such reservation', 404);
    return reservation;
  };

  const onReservation = (seat: Seat, sid: string, { method, params }: Tunnelled) => {
    const { ReservationStatus: status, Instruction: instruction } = params;
    const watched = instruction === 'supervise' ? world.reservations.get(sid) : undefined;
    const reservation = watched ?? mine(seat, sid);
    if (method === 'POST') {
      if (instruction === 'supervise') {
        exchange.supervise(reservation, seat.worker.sid);
        return { payload: {} };
      }
      if (instruction === 'conference' || instruction === 'call' || status === 'accepted')
        exchange.accept(reservation, params);
      else if (instruction === 'reject' || status === 'rejected') exchange.reject(reservation);
      else if (status === 'wrapping') exchange.hangUp(reservation);
      else if (status === 'completed') exchange.complete(reservation);
      else throw new Refused(`the sandbox does not know ${JSON.stringify(params).slice(0, 200)}`);
      if (status !== undefined) return { payload: withoutTransfer(reservationShape(world, reservation)) };
    }
    return { payload: reservationShape(world, reservation) };
  };

  const onTask = (seat: Seat, sid: string, { method, params }: Tunnelled) => {
    const task = world.tasks.get(sid);
    if (!task) throw new Refused('there is no such task', 404);
    if (method === 'POST') {
      const { Attributes: attributes, AssignmentStatus: status } = params;
      if (attributes !== undefined) exchange.updateTask(task, { attributes: asText(attributes) });
      const own = [...world.reservations.values()].filter(
        (one) => one.taskSid === sid && one.workerSid === seat.worker.sid,
      );
      for (const reservation of own) {
        if (status === 'wrapping' && reservation.status === 'accepted') exchange.hangUp(reservation);
        if (status === 'completed') exchange.complete(reservation);
      }
    }
    return { payload: taskShape(task) };
  };

  /** `StartOutboundCall`: a task for its own maker. */
  const createTask = (seat: Seat, params: Record<string, unknown>) => {
    const attributes = jsonOf(asText(params['Attributes'] ?? {})) ?? {};
    const to = String(params['To'] ?? attributes['outbound_to'] ?? '');
    const { task } = exchange.ring({
      direction: to.startsWith('client:') ? 'internal' : 'outbound',
      channel: 'voice',
      worker: seat.worker.sid,
      queue: everyone,
      attributes,
      ...(to === '' ? {} : { to }),
    });
    return { payload: taskShape(task) };
  };

  const onTransfers = (seat: Seat, sid: string | undefined, { method, params }: Tunnelled) => {
    if (sid !== undefined) {
      const transfer = world.transfers.get(sid);
      if (!transfer) throw new Refused('there is no such transfer', 404);
      const status = String(params['TransferStatus']).toUpperCase();
      if (method === 'POST' && status === 'CANCELED') exchange.cancelTransfer(transfer);
      return { payload: transferShape(world, transfer) };
    }
    const reservation = mine(seat, String(params['ReservationSid']));
    const mode: Transfer['mode'] = params['Mode'] === 'COLD' ? 'COLD' : 'WARM';
    const to = String(params['To']);
    return { payload: transferShape(world, exchange.transfer(reservation, to, mode)) };
  };

  /** Hold, mute and kick of any participant of the conference; a request about the worker's own leg names a reservation. */
  const onParticipant = (seat: Seat, what: string, params: Record<string, unknown>) => {
    const own = world.reservations.get(String(params['ReservationSid'] ?? ''));
    const taskSid = own?.taskSid ?? String(params['TaskSid'] ?? '');
    const conference = [...world.conferences.values()].findLast((one) => one.friendlyName === taskSid);
    const target = String(params['TargetWorkerSid'] ?? seat.worker.sid);
    const participant = conference?.participants.findLast((one) =>
      what === 'CustomerParticipant' ? one.label === 'customer' : one.workerSid === target,
    );
    if (!participant) throw new Refused('there is no such participant', 404);
    const reservation = world.reservations.get(participant.reservationSid ?? '');
    if (what === 'KickWorkerParticipant') {
      if (reservation) exchange.hangUp(reservation);
    } else {
      const flag = (name: string) =>
        params[name] === undefined ? {} : { [name.toLowerCase()]: String(params[name]) === 'true' };
      exchange.change(participant.callSid, { ...flag('Hold'), ...flag('Muted') });
    }
    const task = world.tasks.get(taskSid);
    return { payload: own ? reservationShape(world, own) : task ? taskShape(task) : {} };
  };

  const onWorker = (seat: Seat, { method, params }: Tunnelled) => {
    if (method === 'POST') {
      const activity = activities.find((one) => one.sid === params['ActivitySid']);
      const attributes = params['Attributes'];
      if (attributes !== undefined) seat.worker.attributes = asText(attributes);
      if (activity) seat.activity = activity;
      seat.version += 1;
      const shape = workerShape(world, seat.worker, seat.activity, seat.version);
      send(seat.worker.sid, activity ? 'worker.activity.update' : 'worker.attributes.update', shape);
    }
    return { payload: workerShape(world, seat.worker, seat.activity, seat.version) };
  };

  return {
    socket(socket, _request, url) {
      const seat = seats.byToken(url.searchParams.get('token') ?? undefined);
      if (!seat) return socket.close(1008, 'Token is not valid');
      sockets.set(socket, seat);
      socket.on('close', () => sockets.delete(socket));
      // The SDK beats with an empty line and wants one back.
      socket.on('message', () => socket.send(' '));
      const { accountSid, workspaceSid } = world.account;
      const payload = {
        channel_id: seat.worker.sid,
        account_sid: accountSid,
        workspace_sid: workspaceSid,
        token_lifetime: tokenLifeMs,
      };
      socket.send(JSON.stringify({ event_type: 'init', payload }));
    },
    request(seat, asked) {
      const path = new URL(asked.url, 'http://x').pathname.replace(/^\/?(v1\/)?/, '');
      const [, , kind, sid, below, belowSid] = path.split('/');
      if (asked.method === 'POST')
        events.emit('taskrouter.asked', { worker: seat.worker.sid, path, params: asked.params });
      if (kind === 'Activities') return list(activities.map((one) => activityShape(world, one)));
      if (kind === 'TaskQueues') return list([queueShape(world, everyone)]);
      if (kind === 'Tasks' && sid === undefined) return createTask(seat, asked.params);
      if (kind === 'Tasks' && below === 'Reservations') return onReservation(seat, belowSid ?? '', asked);
      if (kind === 'Tasks') return onTask(seat, sid ?? '', asked);
      if (kind !== 'Workers') return { payload: {} };
      if (sid === undefined) return list([...world.workers.values()].map(shapeOf));
      const other = sid === seat.worker.sid ? undefined : world.workers.get(sid);
      if (other) return { payload: shapeOf(other) };
      if (below === undefined) return onWorker(seat, asked);
      if (below === 'WorkerChannels') return list(channelShapes(world, seat.worker));
      if (below === 'Transfers') return onTransfers(seat, belowSid, asked);
      if (below === 'Reservations' && belowSid !== undefined) return onReservation(seat, belowSid, asked);
      if (below === 'Reservations') {
        const own = [...world.reservations.values()].filter(
          (one) =>
            one.workerSid === seat.worker.sid &&
            world.tasks.get(one.taskSid)?.channel !== undefined &&
            ['pending', 'accepted', 'wrapping'].includes(one.status),
        );
        return list(own.map((one) => reservationShape(world, one)).filter((one) => one !== undefined));
      }
      return onParticipant(seat, below, asked.params);
    },
    close() {
      stop();
      for (const socket of sockets.keys()) socket.terminate();
    },
  };
}

/** The SDK sends attributes as an object in one call and as text in another. */
const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** The SDK reads the answer to a change of status without its task, and then has nothing to hang a transfer on. */
function withoutTransfer(shape: ReturnType<typeof reservationShape>): unknown {
  if (!shape) return {};
  const { task_transfer, active_outgoing_task_transfer, ...rest } = shape;
  return rest;
}
