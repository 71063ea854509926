import type { AgentEvent } from '../../../events/agent-event.ts';
import { type CloudEvent, received } from './cloud-event.ts';

type Payload = Record<string, unknown>;

/** What happens to a contact, and the CloudEvents by which Twilio tells of it, on a clock that {@link Story.wait} moves. */
export class Story {
  readonly sent: CloudEvent[] = [];
  private count = 0;
  private readonly seed: number;
  now: number;

  /** When stories begin. */
  static start = '2026-11-30T09:00:00.250Z';

  constructor(seed = 1, start = Story.start) {
    this.seed = seed;
    this.now = Date.parse(start);
  }

  sid(prefix: string): string {
    this.count += 1;
    return prefix + this.seed.toString(16).padStart(16, 'a') + this.count.toString(16).padStart(16, '0');
  }

  /** A SID that every story has in common, such as that of a worker. */
  static common(prefix: string, name: string): string {
    return prefix + Buffer.from(name).toString('hex').padStart(32, '0').slice(-32);
  }

  wait(seconds: number): this {
    this.now += seconds * 1000;
    return this;
  }

  get events(): AgentEvent[] {
    return this.sent.map(received);
  }

  emit(type: string, id: string, data: Payload): void {
    this.sent.push({
      specversion: '1.0',
      type,
      source: '/v1/story',
      id,
      dataschema: 'https://events-schemas.twilio.com/story/1',
      datacontenttype: 'application/json',
      time: new Date(this.now).toISOString(),
      data,
    });
  }

  router(type: string, payload: Payload): void {
    const timestamp = new Date(this.now).toISOString();
    this.emit(`com.twilio.taskrouter.${type}`, this.sid('EZ'), {
      sid: this.sid('EV'),
      name: type,
      account_sid: Story.common('AC', 'account'),
      timestamp,
      level: 'INFO',
      group: type.split('.')[0],
      product_name: 'TaskRouter',
      publisher: 'Flex Task Assignment',
      publisher_metadata: null,
      payload: {
        workspace_sid: Story.common('WS', 'flex'),
        eventtype: type,
        timestamp,
        reason: null,
        ...payload,
      },
    });
  }

  voice(type: string, parameters: Payload, url = 'https://webhooks.example.com/events'): void {
    this.emit(`com.twilio.voice.${type}`, this.sid('VW'), {
      request: {
        method: 'POST',
        url,
        parameters: { AccountSid: Story.common('AC', 'account'), ...parameters },
      },
      response: null,
    });
  }

  report(kind: string, fields: Payload): void {
    this.emit('flex-custody.report', this.sid('OR'), { kind, at: this.now, ...fields });
  }

  /** A caller is in a queue. */
  inboundCall(queue = 'Support', attributes: Payload = {}): StoryTask {
    const call = this.sid('CA');
    this.voice('status-callback.call.initiated', {
      CallSid: call,
      To: '+14155550100',
      CallStatus: 'ringing',
    });
    this.voice('status-callback.call.answered', {
      CallSid: call,
      To: '+14155550100',
      CallStatus: 'in-progress',
    });
    this.wait(2);
    const task = new StoryTask(this, {
      channel: 'voice',
      call,
      attributes: { call_sid: call, direction: 'inbound', ...attributes },
    });
    task.enter(queue);
    return task;
  }

  /** One more task of a contact that is there already. */
  moreTask(channel: string, queue: string, attributes: Payload, conversation?: string): StoryTask {
    return new StoryTask(this, { channel, attributes, ...(conversation && { conversation }) }).enter(queue);
  }

  /** An agent calls a customer. The task has no call SID before the customer answers. */
  outboundCall(worker: string, attributes: Payload = {}): { task: StoryTask; agent: StoryAgent } {
    const task = new StoryTask(this, {
      channel: 'voice',
      call: this.sid('CA'),
      attributes: { direction: 'outbound', ...attributes },
      toWorker: worker,
    });
    task.enter('Outbound');
    const agent = task.offer(worker);
    agent.accept();
    if (attributes['client_call'] !== true) {
      const leg = { CallSid: task.call, To: '+14155550199', Direction: 'outbound-api' };
      this.voice('status-callback.call.initiated', { ...leg, CallStatus: 'initiated' });
    }
    return { task, agent };
  }

  /** A customer writes. */
  conversation(queue = 'Chat', attributes: Payload = {}): StoryTask {
    const conversation = this.sid('CH');
    const interaction = this.sid('KD');
    this.conversationEvent('conversation.added', conversation, { State: 'active' });
    const task = new StoryTask(this, {
      channel: 'chat',
      conversation,
      attributes: {
        channelType: 'web',
        channelSid: conversation,
        flexInteractionSid: interaction,
        ...attributes,
      },
    });
    task.enter(queue);
    return task;
  }

  conversationEvent(name: string, conversation: string, fields: Payload = {}): void {
    this.emit(`com.twilio.conversations.${name}`, this.sid('NO'), {
      ConversationSid: conversation,
      ...fields,
    });
  }
}

interface TaskInput {
  channel: string;
  call?: string;
  conversation?: string;
  attributes: Payload;
  toWorker?: string;
}

export class StoryTask {
  readonly sid: string;
  readonly call: string;
  readonly conversation: string;
  readonly conference: string;
  attributes: Payload;
  status = 'pending';
  private readonly story: Story;
  private readonly channel: string;
  private readonly toWorker: string | undefined;
  private readonly created: string;
  private version = 0;
  private sequence = 0;
  private queue: Payload = {};

  constructor(story: Story, { channel, call, conversation, attributes, toWorker }: TaskInput) {
    this.story = story;
    this.sid = story.sid('WT');
    this.conference = story.sid('CF');
    this.call = call ?? '';
    this.conversation = conversation ?? '';
    this.attributes = attributes;
    this.channel = channel;
    this.toWorker = toWorker;
    this.created = new Date(story.now).toISOString();
    this.event('task.created');
    this.event('workflow.entered');
  }

  /** An event of TaskRouter about this task. */
  event(type: string, payload: Payload = {}): void {
    this.version += 1;
    this.story.router(type, {
      task_sid: this.sid,
      task_version: String(this.version),
      task_assignment_status: this.status,
      task_attributes: JSON.stringify(this.attributes),
      task_channel_unique_name: this.channel,
      task_date_created: this.created,
      task_routing_target: this.toWorker ? Story.common('WK', this.toWorker) : null,
      task_canceled_reason: null,
      task_completed_reason: null,
      ...this.queue,
      ...payload,
    });
  }

  enter(queue: string): this {
    this.queue = {
      task_queue_sid: Story.common('WQ', queue),
      task_queue_name: queue,
      task_queue_entered_date: new Date(this.story.now).toISOString(),
    };
    this.event('task-queue.entered');
    return this;
  }

  offer(worker: string): StoryAgent {
    return new StoryAgent(this.story, this, worker);
  }

  requeue(queue: string): this {
    this.status = 'pending';
    this.event('task.updated');
    return this.enter(queue);
  }

  cancel(reason: string): this {
    this.status = 'canceled';
    this.event('task.canceled', { task_canceled_reason: reason });
    return this;
  }

  complete(reason = 'hangup'): this {
    this.status = 'completed';
    this.event('task.completed', { task_completed_reason: reason });
    return this;
  }

  /** The caller's leg ends. */
  hangUp(status = 'completed'): this {
    this.conferenceEvent('participant-leave', { CallSid: this.call });
    this.story.voice('status-callback.call.completed', {
      CallSid: this.call,
      To: '+14155550100',
      CallStatus: status,
    });
    return this;
  }

  /** The customer of an outbound call answers. */
  answer(): this {
    this.story.voice('status-callback.call.answered', {
      CallSid: this.call,
      To: '+14155550199',
      CallStatus: 'in-progress',
    });
    this.attributes = {
      ...this.attributes,
      conference: { sid: this.conference, participants: { customer: this.call } },
    };
    this.event('task.updated');
    return this;
  }

  conferenceEvent(name: string, parameters: Payload = {}): this {
    this.sequence += 1;
    const type = name.startsWith('participant') ? 'conference.participant.updated' : 'conference.updated';
    this.story.voice(`status-callback.${type}`, {
      ConferenceSid: this.conference,
      FriendlyName: this.sid,
      StatusCallbackEvent: name,
      SequenceNumber: String(this.sequence),
      Timestamp: new Date(this.story.now).toUTCString(),
      ...parameters,
    });
    return this;
  }

  recorded(recording: string, startedAt: number, seconds: number, leg?: string): this {
    this.story.voice('status-callback.recording.processed', {
      RecordingSid: recording,
      ...(leg ? { CallSid: leg } : { ConferenceSid: this.conference }),
      RecordingStatus: 'completed',
      RecordingStartTime: new Date(startedAt).toUTCString(),
      RecordingDuration: String(seconds),
    });
    return this;
  }

  close(state = 'closed'): this {
    this.story.conversationEvent('conversation-state.updated', this.conversation, {
      StateFrom: 'active',
      StateTo: state,
    });
    return this;
  }
}

export class StoryAgent {
  readonly sid: string;
  readonly worker: string;
  readonly leg: string;
  private readonly story: Story;
  private readonly task: StoryTask;
  private readonly name: string;
  private version = -1;

  constructor(story: Story, task: StoryTask, name: string) {
    this.story = story;
    this.task = task;
    this.name = name;
    this.sid = story.sid('WR');
    this.worker = Story.common('WK', name);
    this.leg = story.sid('CA');
    task.status = 'reserved';
    this.event('created');
  }

  /** An event of TaskRouter about this agent's reservation. */
  event(name: string, payload: Payload = {}): this {
    this.version += 1;
    this.task.event(`reservation.${name}`, {
      reservation_sid: this.sid,
      reservation_version: String(this.version),
      worker_sid: this.worker,
      worker_name: this.name,
      worker_attributes: JSON.stringify({ contact_uri: `client:${this.name}`, full_name: this.name }),
      ...payload,
    });
    return this;
  }

  accept(): this {
    this.task.status = 'assigned';
    this.event('accepted');
    if (this.task.call) {
      const leg = { CallSid: this.leg, To: `client:${this.name}` };
      this.story.voice('status-callback.call.answered', { ...leg, CallStatus: 'in-progress' });
      this.task.conferenceEvent('participant-join', { CallSid: this.leg });
    }
    return this;
  }

  reject(): this {
    this.task.status = 'pending';
    return this.event('rejected');
  }

  timeOut(): this {
    this.task.status = 'pending';
    return this.event('timeout');
  }

  rescind(): this {
    return this.event('rescinded');
  }

  /** By all sources that report at the moment: the conference's events, the request, the plugin. */
  hold(on = true, sources: readonly ('status' | 'api' | 'report')[] = ['status', 'api', 'report']): this {
    const { call, conference, sid } = this.task;
    if (sources.includes('api')) {
      const url = `https://api.twilio.com/2010-04-01/Accounts/AC/Conferences/${conference}/Participants/${call}.json`;
      this.story.voice('api-request.conference-participant.modified', { Hold: String(on) }, url);
    }
    this.story.wait(0.3);
    if (sources.includes('status')) {
      this.task.conferenceEvent(on ? 'participant-hold' : 'participant-unhold', {
        CallSid: call,
        Hold: String(on),
      });
    }
    this.story.wait(0.2);
    if (sources.includes('report')) {
      this.story.report(on ? 'held' : 'unheld', {
        taskSid: sid,
        reservationSid: this.sid,
        conferenceSid: conference,
      });
    }
    return this;
  }

  unhold(sources?: readonly ('status' | 'api' | 'report')[]): this {
    return this.hold(false, sources);
  }

  transfer(mode: 'WARM' | 'COLD', to: string): this {
    this.transferEvent('initiated', mode, 'initiated');
    if (to.startsWith('WK')) return this;
    this.task.enter(to);
    return this;
  }

  transferEvent(name: string, mode: 'WARM' | 'COLD', status: string): this {
    this.task.event(`task.transfer-${name}`, {
      task_transfer_sid: Story.common('TT', this.sid.slice(-8)),
      transfer_mode: mode,
      transfer_type: 'QUEUE',
      transfer_status: status,
      transfer_initiating_reservation_sid: this.sid,
      transfer_initiating_worker_sid: this.worker,
    });
    return this;
  }

  /** The agent's part ends; `status` is that of the task, which others may still work on. */
  wrapUp(status = 'wrapping'): this {
    this.task.status = status;
    if (this.task.call) {
      this.task.conferenceEvent('participant-leave', { CallSid: this.leg });
      this.story.voice('status-callback.call.completed', {
        CallSid: this.leg,
        To: `client:${this.name}`,
        CallStatus: 'completed',
      });
    }
    return this.event('wrapup');
  }

  complete(): this {
    return this.event('completed');
  }
}
