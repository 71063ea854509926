import type { FastifyInstance } from 'fastify';
import type { Courier } from '../callbacks.ts';
import type { Switchboard } from '../calls.ts';
import { bodyOf, choice, read, text } from '../controls-body.ts';
import { tokenInfo } from '../desktop/flex-api.ts';
import type { Desktop } from '../desktop/index.ts';
import type { EventLog } from '../events.ts';
import { Refused } from '../refused.ts';
import type { Reservation, Task, World } from '../world.ts';
import type { Exchange } from './exchange.ts';
import { everyone } from './parameters.ts';
import { asPlacedCall, viewLiveCall } from './view.ts';

export interface LiveControlDeps {
  world: World;
  exchange: Exchange;
  courier: Courier;
  desktop: Desktop;
  events: EventLog;
  switchboard: Switchboard;
  /** What an agent who is not a browser records by, as our plugin would have it. */
  functionsUrl: string;
}

const actions = [
  'accept',
  'reject',
  'hangup',
  'customer-hangup',
  'transfer',
  'consult',
  'complete-transfer',
  'cancel-transfer',
  'complete',
  'lose-hangup',
  'refresh-leg',
  'hold',
  'unhold',
  'requeue',
] as const;

/** `/sandbox/live/*`: rings a desktop, acts for callers and agents without a browser, and sets what Flex's Console would. */
export function liveControlRoutes(app: FastifyInstance, deps: LiveControlDeps): void {
  const { world, exchange, courier, desktop } = deps;
  const view = (task: Task) => viewLiveCall(world, task, courier.deliveries);
  const object = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  const known = (sid: string) => {
    const task = world.tasks.get(sid);
    if (!task) throw new Refused('there is no such task here', 404);
    return task;
  };
  const workerOf = (given: string | undefined) => {
    const [first] = world.workers.keys();
    const sid = given ?? first;
    if (sid === undefined || !world.workers.has(sid)) throw new Refused('there is no such worker here', 404);
    return sid;
  };

  app.post('/sandbox/live/calls', async (request) => {
    const body = bodyOf(request.body);
    const { task, reservation, customerCall } = exchange.ring({
      direction: choice(body, 'direction', 'inbound', ['inbound', 'outbound', 'internal']),
      channel: choice(body, 'channel', 'voice', ['voice', 'chat']),
      worker: workerOf(text(body, 'worker')),
      queue: text(body, 'queue') ?? everyone,
      attributes: read(body, 'attributes', {}, object, 'an object'),
    });
    return {
      task: task.sid,
      reservation: reservation.sid,
      worker: reservation.workerSid,
      ...(customerCall ? { customerCall: customerCall.sid } : {}),
    };
  });

  app.get('/sandbox/live/calls', async () => ({
    calls: [...world.tasks.values()]
      .filter(({ status }) => ['reserved', 'assigned', 'wrapping', 'pending'].includes(status))
      .filter(({ channel }) => channel !== undefined)
      .map(view),
  }));
  app.get<{ Params: { sid: string } }>('/sandbox/live/calls/:sid', async (request) =>
    view(known(request.params.sid)),
  );

  /** The newest reservation in one of these states, of this worker where one is named. */
  const reservationOf = (task: Task, worker: string | undefined, ...states: Reservation['status'][]) => {
    const found = [...world.reservations.values()].findLast(
      (one) =>
        one.taskSid === task.sid &&
        states.includes(one.status) &&
        (worker === undefined || one.workerSid === worker),
    );
    if (!found) throw new Refused(`no reservation of this task is ${states.join(' or ')}`, 409);
    return found;
  };
  const transferOf = (task: Task) => {
    const found = [...world.transfers.values()].findLast((one) => one.taskSid === task.sid);
    if (!found) throw new Refused('this call was not transferred', 409);
    return found;
  };
  const asOurPlugin = (reservation: Reservation) => ({
    Record: 'true',
    RecordingChannels: 'dual',
    RecordingStatusCallback: `${deps.functionsUrl}/recording-status-callback?taskSid=${reservation.taskSid}&reservationSid=${reservation.sid}#rc=5&rp=all`,
  });
  const other = (from: Reservation, to: string | undefined) => {
    const found = to ?? [...world.workers.keys()].find((sid) => sid !== from.workerSid);
    if (found === undefined) throw new Refused('there is no other worker to transfer to', 409);
    return found;
  };

  app.post<{ Params: { sid: string } }>('/sandbox/live/calls/:sid', async (request) => {
    const task = known(request.params.sid);
    const body = bodyOf(request.body);
    const worker = text(body, 'worker');
    const action = actions.find((one) => one === body['action']);
    switch (action) {
      case 'accept': {
        const reservation = reservationOf(task, worker, 'pending');
        const given = body['parameters'];
        exchange.accept(reservation, object(given) ? given : asOurPlugin(reservation));
        break;
      }
      case 'reject':
        exchange.reject(reservationOf(task, worker, 'pending'));
        break;
      case 'hangup':
        exchange.hangUp(reservationOf(task, worker, 'accepted'));
        break;
      case 'customer-hangup':
        exchange.customerHangUp(task);
        break;
      case 'transfer':
      case 'consult': {
        const from = reservationOf(task, text(body, 'from'), 'accepted');
        exchange.transfer(from, other(from, worker), action === 'transfer' ? 'COLD' : 'WARM');
        break;
      }
      case 'complete-transfer': {
        const first = world.reservations.get(transferOf(task).initiatingReservation);
        if (first?.status === 'accepted') exchange.hangUp(first);
        break;
      }
      case 'cancel-transfer':
        exchange.cancelTransfer(transferOf(task));
        break;
      case 'complete':
        exchange.complete(reservationOf(task, worker, 'accepted', 'wrapping'));
        break;
      case 'lose-hangup':
        exchange.loseHangUp(reservationOf(task, worker, 'accepted'));
        break;
      case 'refresh-leg':
        exchange.refreshLeg(reservationOf(task, worker, 'accepted'));
        break;
      case 'hold':
      case 'unhold': {
        const customer = exchange.customerOf(task.sid);
        if (!customer) throw new Refused('this task has no customer on the phone', 409);
        exchange.change(customer.sid, { hold: action === 'hold' });
        break;
      }
      case 'requeue':
        exchange.requeue(task, text(body, 'queue') ?? everyone, workerOf(worker));
        break;
      default:
        throw new Refused(`"action" must be one of ${actions.join(', ')}`);
    }
    return view(task);
  });

  app.post('/sandbox/live/token', async (request) => {
    const seat = await desktop.renewToken(workerOf(text(bodyOf(request.body), 'worker')));
    return tokenInfo(world, seat);
  });

  app.get('/sandbox/live/configuration', async () => desktop.settings);
  app.post('/sandbox/live/configuration', async (request) => {
    const body = bodyOf(request.body);
    const { settings } = desktop;
    Object.assign(settings.ui_attributes, read(body, 'ui_attributes', {}, object, 'an object'));
    settings.call_recording_enabled = read(
      body,
      'call_recording_enabled',
      settings.call_recording_enabled,
      (value): value is boolean => typeof value === 'boolean',
      'true or false',
    );
    if (body['call_recording_webhook_url'] !== undefined)
      settings.call_recording_webhook_url = text(body, 'call_recording_webhook_url') ?? null;
    return settings;
  });
  const stop = deps.events.subscribe(({ event, task: sid }) => {
    const task = event === 'call.ended' ? world.tasks.get(String(sid)) : undefined;
    // Only a live call's task has a channel.
    const call = task?.channel === 'voice' ? asPlacedCall(world, task) : undefined;
    if (call) deps.switchboard.add(call);
  });
  app.addHook('onClose', async () => {
    stop();
    exchange.close();
  });
}
