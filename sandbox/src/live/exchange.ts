import { EventEmitter } from 'node:events';
import type { EventLog } from '../events.ts';
import { Refused } from '../refused.ts';
import { newSid } from '../sids.ts';
import {
  type Call,
  noteCreation,
  type Reservation,
  type Task,
  type Transfer,
  touchTask,
  type World,
} from '../world.ts';
import { customerNumber, firstAttributes, ownNumber } from './attributes.ts';
import type { Exchange, LiveEvent } from './contract.ts';
import type { Legs } from './legs.ts';
import { readAcceptParameters } from './parameters.ts';

export type { Exchange, LiveEvent, Rung } from './contract.ts';

/** Ms until an outbound customer answers. */
const answerMs = 400;
const sweepMs = 200;
const open: readonly Reservation['status'][] = ['pending', 'accepted', 'wrapping'];

export function createExchange(deps: { world: World; events: EventLog; legs: Legs }): Exchange {
  const { world, events, legs } = deps;
  const emitter = new EventEmitter<{ event: [LiveEvent] }>();
  emitter.setMaxListeners(0);
  const customers = new Map<string, Call>();
  const lost = new Set<string>();
  const clocks = new Set<NodeJS.Timeout>();
  const tell = (event: LiveEvent) => emitter.emit('event', event);
  const of = (task: Task) => [...world.reservations.values()].filter((one) => one.taskSid === task.sid);
  const taskOf = (reservation: Reservation): Task => {
    const task = world.tasks.get(reservation.taskSid);
    if (!task) throw new Refused('the task no longer exists', 404);
    return task;
  };

  const reserve = (task: Task, workerSid: string, transferSid?: string): Reservation => {
    const now = world.clock.now();
    const reservation: Reservation = {
      sid: newSid('WR'),
      taskSid: task.sid,
      workerSid,
      status: 'pending',
      createdAt: now,
      updatedAt: now,
      ...(transferSid === undefined ? {} : { transferSid }),
    };
    world.reservations.set(reservation.sid, reservation);
    tell({ of: 'reservation', name: 'created', reservation });
    return reservation;
  };

  const turn = (
    reservation: Reservation,
    status: Reservation['status'],
    name: Extract<LiveEvent, { of: 'reservation' }>['name'],
  ) => {
    Object.assign(reservation, { status, updatedAt: world.clock.now() });
    tell({ of: 'reservation', name, reservation });
  };

  const updateTask: Exchange['updateTask'] = (task, change) => {
    touchTask(task, change);
    // rest/ emits the same event after a change of its own; its listeners get both.
    events.emit('task.updated', { task: task.sid });
  };

  /** A reservation's call is over. The task ends too when no agent is on it any more. */
  const wrap = (reservation: Reservation) => {
    if (reservation.status !== 'accepted') return;
    turn(reservation, 'wrapping', 'wrapup');
    const task = world.tasks.get(reservation.taskSid);
    if (!task || of(task).some(({ status }) => status === 'accepted' || status === 'pending')) return;
    touchTask(task, { status: 'wrapping' });
    tell({ of: 'task', name: 'wrapup', task });
  };

  const left = (taskSid: string, callSid: string) => {
    const call = world.calls.get(callSid);
    if (call) legs.end(call);
    tell({ of: 'leg', name: 'updated', taskSid, callSid });
  };

  /** All participants leave, and all agents of the task wrap up. */
  const endConference = (task: Task) => {
    const conference = legs.conferenceOf(task.sid);
    if (conference && conference.status !== 'completed') {
      const connected = conference.participants.filter(({ status }) => status === 'connected');
      legs.close(conference);
      for (const { callSid } of connected) tell({ of: 'leg', name: 'updated', taskSid: task.sid, callSid });
      events.emit('call.ended', { task: task.sid });
    }
    for (const reservation of of(task)) {
      if (reservation.status === 'pending') turn(reservation, 'canceled', 'canceled');
      else wrap(reservation);
    }
  };

  const legOf = (reservation: Reservation) => {
    const conference = legs.conferenceOf(reservation.taskSid);
    const leg = conference?.participants.findLast(
      (one) => one.reservationSid === reservation.sid && one.status === 'connected',
    );
    return leg && world.calls.get(leg.callSid);
  };

  const joinAgent = (reservation: Reservation, parameters: Readonly<Record<string, unknown>>) => {
    const task = taskOf(reservation);
    const worker = world.workers.get(reservation.workerSid);
    if (!worker) throw new Refused('there is no such worker', 404);
    const wanted = readAcceptParameters(parameters);
    const known = legs.conferenceOf(task.sid);
    const conference = known ?? legs.open(task);
    const customer = customers.get(task.sid);
    if (!known && customer) legs.join(conference, customer, { label: 'customer' });
    const from = customer?.direction === 'inbound' ? customer.from : ownNumber;
    const leg = legs.dial({ from, to: `client:${worker.identity}`, direction: 'outbound-api' });
    legs.join(conference, leg, legs.agent(leg, worker, reservation));
    // Who calls by himself has a call before there is a customer.
    if (customer || world.behaviour.acceptRecordsOutbound) legs.record(leg, conference, wanted);
    const attributes = JSON.parse(task.attributes) as Record<string, unknown>;
    // An outbound task has neither conference nor call, unless a plugin writes them.
    if (customer && attributes['direction'] === 'inbound') {
      attributes['conference'] = {
        ...(attributes['conference'] as object | undefined),
        sid: conference.sid,
        participants: { customer: customer.sid, worker: leg.sid },
      };
    }
    touchTask(task, { status: 'assigned', attributes: JSON.stringify(attributes) });
    if (!customer) dialCustomer(task, String(attributes['outbound_to'] ?? customerNumber));
    return leg;
  };

  const dialCustomer = (task: Task, to: string) => {
    const call = legs.dial({ from: ownNumber, to, direction: 'outbound-api' });
    call.status = 'ringing';
    customers.set(task.sid, call);
    later(answerMs, () => customerAnswers(task));
  };

  const customerAnswers = (task: Task) => {
    const call = customers.get(task.sid);
    const conference = legs.conferenceOf(task.sid);
    if (call?.status !== 'ringing' || conference?.status !== 'in-progress') return;
    Object.assign(call, { status: 'in-progress', updatedAt: world.clock.now() });
    legs.join(conference, call, { label: 'customer' });
    tell({ of: 'leg', name: 'added', taskSid: task.sid, callSid: call.sid });
  };

  const later = (ms: number, run: () => void) => {
    const clock = setTimeout(() => {
      clocks.delete(clock);
      run();
    }, ms);
    clocks.add(clock);
  };

  const exchange: Exchange = {
    ring(options) {
      const now = world.clock.now();
      const voice = options.channel === 'voice';
      const customerCall =
        voice && options.direction === 'inbound'
          ? legs.dial({ from: customerNumber, to: ownNumber, direction: 'inbound' })
          : undefined;
      const attributes = firstAttributes(world, options, customerCall);
      const task: Task = {
        sid: newSid('WT'),
        attributes: JSON.stringify(attributes),
        status: 'reserved',
        channel: options.channel,
        queue: options.queue,
        ...(voice && options.direction !== 'inbound' ? { routingTarget: options.worker } : {}),
        version: 0,
        createdAt: now,
        updatedAt: now,
      };
      world.tasks.set(task.sid, task);
      noteCreation(world, task, task.attributes, task.routingTarget);
      if (customerCall) customers.set(task.sid, customerCall);
      events.emit('call.rang', { task: task.sid });
      const reservation = reserve(task, options.worker);
      return { task, reservation, ...(customerCall ? { customerCall } : {}) };
    },
    accept(reservation, parameters) {
      if (reservation.status !== 'pending') throw new Refused('the reservation is not pending', 400);
      const task = taskOf(reservation);
      const leg = task.channel === 'chat' ? undefined : joinAgent(reservation, parameters);
      if (!leg) touchTask(task, { status: 'assigned' });
      turn(reservation, 'accepted', 'accepted');
      tell({ of: 'task', name: 'updated', task });
      if (leg) tell({ of: 'leg', name: 'added', taskSid: task.sid, callSid: leg.sid });
      events.emit('call.accepted', { task: task.sid });
      const transfer = world.transfers.get(reservation.transferSid ?? '');
      if (transfer?.status !== 'initiated') return;
      Object.assign(transfer, { status: 'complete', updatedAt: world.clock.now() });
      tell({ of: 'transfer', name: 'transfer-completed', transfer });
    },
    reject(reservation) {
      if (reservation.status !== 'pending') throw new Refused('the reservation is not pending', 400);
      turn(reservation, 'rejected', 'rejected');
      const transfer = world.transfers.get(reservation.transferSid ?? '');
      if (!transfer) return touchTask(taskOf(reservation), { status: 'pending' });
      Object.assign(transfer, { status: 'failed', updatedAt: world.clock.now() });
      tell({ of: 'transfer', name: 'transfer-failed', transfer });
    },
    hangUp(reservation) {
      const task = taskOf(reservation);
      const leg = legOf(reservation);
      const alone = !of(task).some(
        (one) => one !== reservation && (one.status === 'accepted' || one.status === 'pending'),
      );
      if (alone) return endConference(task);
      if (leg) left(task.sid, leg.sid);
      wrap(reservation);
    },
    customerHangUp(task) {
      const call = customers.get(task.sid);
      if (legs.conferenceOf(task.sid)) return endConference(task);
      // No agent had accepted yet.
      if (call) legs.end(call);
      endConference(task);
      touchTask(task, { status: 'canceled' });
      tell({ of: 'task', name: 'canceled', task });
      events.emit('task.canceled', { task: task.sid });
    },
    transfer(reservation, to, mode) {
      if (reservation.status !== 'accepted') throw new Refused('only a live call can be transferred');
      const task = taskOf(reservation);
      const others = [...world.workers.values()].filter(({ sid }) => sid !== reservation.workerSid);
      const target = to.startsWith('WK') ? others.find(({ sid }) => sid === to) : others[0];
      if (!target) throw new Refused('there is no such worker to transfer to', 404);
      const now = world.clock.now();
      const transfer: Transfer = {
        sid: newSid('TT'),
        taskSid: task.sid,
        mode,
        status: 'initiated',
        initiatingReservation: reservation.sid,
        to,
        createdAt: now,
        updatedAt: now,
      };
      world.transfers.set(transfer.sid, transfer);
      tell({ of: 'transfer', name: 'transfer-initiated', transfer });
      reserve(task, target.sid, transfer.sid);
      if (mode === 'COLD') {
        // The customer waits with music; the desktop that accepts takes them off hold.
        const customer = customers.get(task.sid);
        if (customer) exchange.change(customer.sid, { hold: true });
        exchange.hangUp(reservation);
      }
      return transfer;
    },
    cancelTransfer(transfer) {
      const second = [...world.reservations.values()].find((one) => one.transferSid === transfer.sid);
      Object.assign(transfer, { status: 'canceled', updatedAt: world.clock.now() });
      tell({ of: 'transfer', name: 'transfer-canceled', transfer });
      if (second?.status === 'pending') turn(second, 'rescinded', 'rescinded');
      else if (second?.status === 'accepted') exchange.hangUp(second);
    },
    complete(reservation) {
      if (!open.includes(reservation.status)) return;
      const task = taskOf(reservation);
      if (reservation.status === 'accepted') exchange.hangUp(reservation);
      turn(reservation, 'completed', 'completed');
      if (of(task).some(({ status }) => open.includes(status))) return;
      touchTask(task, { status: 'completed' });
      tell({ of: 'task', name: 'completed', task });
      events.emit('task.completed', { task: task.sid });
    },
    requeue(task, queue, worker) {
      if (of(task).some(({ status }) => open.includes(status)))
        throw new Refused('an agent has this call, or it rings one', 409);
      touchTask(task, { status: 'reserved' });
      task.queue = queue;
      return reserve(task, worker);
    },
    customerAnswers,
    loseHangUp: (reservation) => void lost.add(reservation.sid),
    isHangUpLost: (reservation) => lost.delete(reservation.sid),
    refreshLeg(reservation) {
      const old = legOf(reservation);
      if (!old) throw new Refused('this agent is on no call');
      const leg = joinAgent(reservation, {});
      tell({ of: 'leg', name: 'added', taskSid: reservation.taskSid, callSid: leg.sid });
      left(reservation.taskSid, old.sid);
    },
    supervise(reservation, workerSid) {
      const conference = legs.conferenceOf(reservation.taskSid);
      const supervisor = world.workers.get(workerSid);
      if (!supervisor || conference?.status !== 'in-progress') throw new Refused('there is no such call');
      const to = `client:${supervisor.identity}`;
      const leg = legs.dial({ from: ownNumber, to, direction: 'outbound-api' });
      const label = supervisor.identity;
      legs.join(conference, leg, { label, workerSid, supervises: true, muted: true });
      tell({ of: 'leg', name: 'added', taskSid: reservation.taskSid, callSid: leg.sid });
    },
    leave: left,
    change(callSid, change) {
      for (const conference of world.conferences.values()) {
        const participant = conference.participants.find((one) => one.callSid === callSid);
        if (!participant) continue;
        Object.assign(participant, change);
        tell({ of: 'leg', name: 'updated', taskSid: conference.friendlyName, callSid });
      }
    },
    updateTask,
    legOf,
    customerOf: (taskSid) => customers.get(taskSid),
    on(listener) {
      emitter.on('event', listener);
      return () => emitter.off('event', listener);
    },
    close() {
      stopListening();
      clearInterval(sweep);
      for (const clock of clocks) clearTimeout(clock);
    },
  };

  // Attributes that a Function or the host wrote over REST reach the desktops as TaskRouter's own do.
  const stopListening = events.subscribe(({ event, task: sid }) => {
    const task = event === 'task.updated' ? world.tasks.get(String(sid)) : undefined;
    if (task) tell({ of: 'task', name: 'updated', task });
  });

  // No event reports a call that was ended over REST.
  const sweep = setInterval(() => {
    for (const conference of world.conferences.values()) {
      const task = world.tasks.get(conference.friendlyName);
      if (!task || conference.status !== 'in-progress') continue;
      for (const one of conference.participants) {
        const call = world.calls.get(one.callSid);
        if (one.status !== 'connected' || call?.status !== 'completed') continue;
        const reservation = world.reservations.get(one.reservationSid ?? '');
        if (reservation) exchange.hangUp(reservation);
        else exchange.customerHangUp(task);
      }
    }
  }, sweepMs);
  sweep.unref();
  return exchange;
}
