import { createHash } from 'node:crypto';
import type { CloudEvent } from '../cloud-event.ts';

type Fields = Record<string, unknown>;
export interface Task {
  sid: string;
  channel: string;
  version: number;
  /** As it is sent: JSON text, or whatever else Twilio may send. */
  attributes: unknown;
  queue?: string;
  createdAt?: number;
  conference?: string;
  sequence: number;
}
export interface Reservation {
  sid: string;
  task: Task;
  worker: string;
  version: number;
}

export const account = 'ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';
const workspace = 'WS11111111111111111111111111111111';

/**
 * Writes events as Twilio sends them, with every field that Twilio documents, whether sessions read it or not.
 * It knows nothing of how sessions read them. Moments are seconds since the beginning of the story.
 */
export class Wire {
  readonly events: CloudEvent[] = [];
  readonly start: number;
  readonly #name: string;
  #count = 0;

  constructor(name: string, start = '2026-11-30T09:00:00.250Z') {
    this.#name = name;
    this.start = Date.parse(start);
  }

  sid(prefix: string, name: string): string {
    // Workers and queues are the same in every story, as in a contact centre.
    const scope = prefix === 'WK' || prefix === 'WQ' ? '' : this.#name;
    return prefix + createHash('sha256').update(`${scope}/${prefix}/${name}`).digest('hex').slice(0, 32);
  }
  instant = (at: number): string => new Date(this.start + Math.round(at * 1000)).toISOString();
  #seconds = (at: number): string => String(Math.floor((this.start + at * 1000) / 1000));

  #send(at: number, type: string, prefix: string, schema: string, data: Fields): this {
    this.#count++;
    this.events.push({
      specversion: '1.0',
      type: `com.twilio.${type}`,
      source: `/v1/Accounts/${account}`,
      id: this.sid(prefix, `event ${this.#count}`),
      dataschema: `https://events-schemas.twilio.com/${schema}`,
      datacontenttype: 'application/json',
      time: this.instant(at),
      data,
    });
    return this;
  }

  /** An event of TaskRouter; `fields` are the ones that differ from an empty payload. */
  router(at: number, name: string, resource: string, fields: Fields): this {
    const [group = ''] = name.split('.');
    return this.#send(at, `taskrouter.${name}`, 'EZ', 'TaskRouter.WDSEvent/4', {
      sid: this.sid('EV', `event ${this.#count}`),
      name,
      account_sid: account,
      account_friendly_name: 'Example',
      parent_account_sid: null,
      parent_friendly_name: null,
      timestamp: this.instant(at),
      level: 'INFO',
      group,
      product_name: 'TaskRouter',
      publisher: 'Flex Task Assignment',
      publisher_metadata: null,
      payload_type: 'com.twilio.taskrouter.WDSEvent',
      payload: {
        account_sid: account,
        event_description: `Event ${name}`,
        eventtype: name,
        reason: null,
        resource_sid: resource,
        resource_type: group,
        sid: this.sid('EV', `event ${this.#count}`),
        timestamp: this.#seconds(at),
        workspace_sid: workspace,
        workspace_name: 'Flex Task Assignment',
        ...nothing,
        ...fields,
      },
    });
  }

  task(name: string, attributes: unknown = {}, channel = 'voice'): Task {
    const json =
      typeof attributes === 'object' && attributes !== null ? JSON.stringify(attributes) : attributes;
    return { sid: this.sid('WT', name), channel, version: 0, attributes: json, sequence: 0 };
  }

  #ofTask = (task: Task, at: number, status: string): Fields => ({
    task_sid: task.sid,
    task_version: String(task.version),
    task_age: String(Math.floor(at - (task.createdAt ?? at))),
    task_age_in_queue: '0',
    task_assignment_status: status,
    task_attributes: task.attributes,
    task_channel_sid: this.sid('TC', task.channel),
    task_channel_unique_name: task.channel,
    task_date_created: this.#seconds(task.createdAt ?? at),
    task_priority: '0',
    workflow_sid: 'WW66666666666666666666666666666666',
    workflow_name: 'Assign to Anyone',
    ...(task.queue && {
      task_queue_sid: this.sid('WQ', task.queue),
      task_queue_name: task.queue,
      task_queue_target_expression: '1==1',
    }),
  });

  /** An event of a task, such as `task.created` or `workflow.entered`. */
  of(at: number, task: Task, name: string, status: string, fields: Fields = {}): this {
    if (name === 'task.created') task.createdAt = at;
    if (/created|updated|canceled|completed|wrapup/.test(name)) task.version++;
    return this.router(at, name, task.sid, { ...this.#ofTask(task, at, status), ...fields });
  }

  /** The task comes into being and enters a queue. */
  queued(at: number, task: Task, queue = 'Support', entered = at): this {
    this.of(at, task, 'task.created', 'pending');
    this.of(at, task, 'workflow.entered', 'pending');
    return this.enters(entered, task, queue);
  }

  enters(at: number, task: Task, queue: string): this {
    this.of(at, task, 'workflow.target-matched', 'pending', { workflow_filter_name: queue });
    task.queue = queue;
    return this.of(at, task, 'task-queue.entered', 'pending', {
      task_queue_entered_date: this.#seconds(at),
    });
  }

  reservation(task: Task, worker: string): Reservation {
    return { sid: this.sid('WR', `${task.sid} ${worker} ${this.#count}`), task, worker, version: -1 };
  }

  /** An event of a reservation, such as `accepted`. */
  says(
    at: number,
    { sid, task, worker }: Reservation,
    what: string,
    status: string,
    fields: Fields = {},
  ): this {
    return this.router(at, `reservation.${what}`, sid, {
      ...this.#ofTask(task, at, status),
      reservation_sid: sid,
      worker_sid: this.sid('WK', worker),
      worker_name: worker,
      worker_attributes: JSON.stringify({ contact_uri: `client:${worker}` }),
      worker_activity_sid: 'WAffffffffffffffffffffffffffffffff',
      worker_activity_name: 'Available',
      worker_time_in_previous_activity: '12',
      worker_time_in_previous_activity_ms: '12345',
      worker_channel_available: 'true',
      worker_channel_capacity: '1',
      worker_channel_task_count: '0',
      ...fields,
    });
  }

  #step(at: number, one: Reservation, what: string, status: string, fields: Fields = {}): this {
    one.version++;
    return this.says(at, one, what, status, { reservation_version: String(one.version), ...fields });
  }
  offer(at: number, task: Task, worker: string): Reservation {
    const one = this.reservation(task, worker);
    this.#step(at, one, 'created', 'reserved');
    return one;
  }
  accept = (at: number, one: Reservation) => this.#step(at, one, 'accepted', 'assigned');
  wrap = (at: number, one: Reservation) => this.#step(at, one, 'wrapup', 'wrapping');
  complete = (at: number, one: Reservation, reason: string | null = null) =>
    this.#step(at, one, 'completed', 'completed', { reason });
  /** `rejected`, `timeout`, `canceled` or `rescinded`. */
  offerEnds = (
    at: number,
    one: Reservation,
    what: string,
    status = 'pending',
    reason: string | null = null,
  ) => this.#step(at, one, what, status, { reason });
  /** An agent's segment from the offer on. */
  segment(
    task: Task,
    worker: string,
    offered: number,
    accepted: number,
    wrapped: number,
    done = wrapped + 5,
  ) {
    const one = this.offer(offered, task, worker);
    this.accept(accepted, one).wrap(wrapped, one).complete(done, one);
    return one;
  }

  transfer(
    at: number,
    by: Reservation,
    mode: 'WARM' | 'COLD',
    to: string,
    what = 'initiated',
    fields: Fields = {},
  ): this {
    return this.of(at, by.task, `task.transfer-${what}`, 'assigned', {
      task_transfer_sid: this.sid('TT', `${by.sid} ${to}`),
      transfer_mode: mode,
      transfer_type: to.startsWith('WQ') ? 'QUEUE' : 'WORKER',
      transfer_to: to,
      transfer_status: what === 'completed' ? 'complete' : 'initiated',
      transfer_started: this.#seconds(at),
      transfer_initiating_reservation_sid: by.sid,
      transfer_initiating_worker_sid: this.sid('WK', by.worker),
      ...fields,
    });
  }

  /** An event of voice with the parameters of a callback. */
  voice(at: number, name: string, parameters: Fields, url = 'https://webhooks.example.com/voice'): this {
    return this.#send(at, `voice.${name}`, 'VW', 'Voice.WebhookEvent/1', {
      request: {
        method: 'POST',
        url,
        parameters: { AccountSid: account, ApiVersion: '2010-04-01', ...parameters },
      },
      response: { status_code: 200, headers: null, body: null },
    });
  }
  call = (at: number, name: string, leg: string, parameters: Fields = {}) =>
    this.voice(at, `status-callback.call.${name}`, {
      ...{ CallSid: this.sid('CA', leg), From: '+34600000001', To: '+34900000000', Caller: '+34600000001' },
      ...{
        Direction: 'inbound',
        CallStatus: name,
        Timestamp: new Date(this.start + at * 1000).toUTCString(),
      },
      ...parameters,
    });
  /** A leg joins, leaves, is held or released, in the conference that has its task's name. */
  leg(at: number, task: Task, what: string, leg: string, parameters: Fields = {}): this {
    return this.voice(at, 'status-callback.conference.participant.updated', {
      ...this.#ofConference(at, task),
      CallSid: this.sid('CA', leg),
      StatusCallbackEvent: `participant-${what}`,
      ParticipantLabel: leg,
      ...{ Muted: 'false', Coaching: 'false', Hold: String(what === 'hold') },
      ...{ StartConferenceOnEnter: 'true', EndConferenceOnExit: 'false' },
      ...parameters,
    });
  }
  conference(at: number, task: Task, what: 'start' | 'end', parameters: Fields = {}): this {
    return this.voice(at, 'status-callback.conference.updated', {
      ...this.#ofConference(at, task),
      StatusCallbackEvent: `conference-${what}`,
      ...(what === 'end' && { ReasonConferenceEnded: 'last-participant-left' }),
      ...parameters,
    });
  }
  #ofConference(at: number, task: Task): Fields {
    task.conference ??= this.sid('CF', task.sid);
    return {
      ConferenceSid: task.conference,
      FriendlyName: task.sid,
      SequenceNumber: String(++task.sequence),
      Timestamp: new Date(this.start + Math.floor(at) * 1000).toUTCString().replace('GMT', '+0000'),
    };
  }
  /** A request that changes a participant; the call is named by the URL alone. */
  modify(at: number, task: Task, leg: string, parameters: Fields): this {
    const path = `Conferences/${task.conference}/Participants/${this.sid('CA', leg)}.json`;
    const url = `https://api.twilio.com/2010-04-01/Accounts/${account}/${path}`;
    return this.voice(at, 'api-request.conference-participant.modified', parameters, url);
  }
  /** An event of Conversations. */
  conversation(at: number, name: string, sid: string, fields: Fields = {}): this {
    return this.#send(at, `conversations.${name}`, 'NO', 'Conversations/1', {
      AccountSid: account,
      ChatServiceSid: 'IS00000000000000000000000000000000',
      ConversationSid: sid,
      MessagingServiceSid: 'MG00000000000000000000000000000000',
      EventType: `on${name}`,
      ...fields,
    });
  }
  closesConversation = (at: number, sid: string, from = 'active', reason = 'API') =>
    this.conversation(at, 'conversation-state.updated', sid, {
      ...{ StateFrom: from, StateTo: 'closed', Reason: reason, StateUpdated: this.instant(at) },
    });
}

/** What Twilio documents and leaves null in most events. */
const nothing: Fields = {
  ...{
    task_sid: null,
    task_version: null,
    task_age: null,
    task_age_in_queue: null,
    task_assignment_status: null,
  },
  ...{
    task_attributes: null,
    task_canceled_reason: null,
    task_completed_reason: null,
    task_channel_sid: null,
  },
  ...{
    task_channel_unique_name: null,
    task_date_created: null,
    task_priority: null,
    previous_task_priority: null,
  },
  ...{ task_re_evaluated_reason: null, task_routing_target: null, target_changed_reason: null },
  ...{ task_queue_sid: null, task_queue_name: null, task_queue_target_expression: null },
  ...{ task_queue_entered_date: null, previous_task_queue_sid: null, previous_task_queue_name: null },
  ...{
    workflow_sid: null,
    workflow_name: null,
    workflow_filter_name: null,
    workflow_filter_expression: null,
  },
  ...{ workflow_filter_target_name: null, workflow_filter_target_expression: null },
  ...{ reservation_sid: null, reservation_version: null, reservation_reason_code: null },
  ...{ task_transfer_sid: null, transfer_mode: null, transfer_type: null, transfer_to: null },
  ...{ transfer_status: null, transfer_started: null, transfer_failed_reason: null },
  ...{ transfer_initiating_reservation_sid: null, transfer_initiating_worker_sid: null },
  ...{ worker_sid: null, worker_name: null, worker_attributes: null, worker_activity_sid: null },
  ...{ worker_activity_name: null, worker_previous_activity_sid: null, worker_previous_activity_name: null },
  ...{ worker_time_in_previous_activity: null, worker_time_in_previous_activity_ms: null },
  ...{
    worker_channel_available: null,
    worker_channel_available_capacity: null,
    worker_channel_capacity: null,
  },
  ...{ worker_channel_previous_capacity: null, worker_channel_task_count: null },
};
