import { closeConversation, joinConversation, openConversation } from '../conversations.ts';
import type { EventLog } from '../events.ts';
import type { Exchange, LiveEvent } from '../live/contract.ts';
import type { Conference, Participant, Task, World } from '../world.ts';
import { conversationEvent } from './conversations.ts';
import type { AgentEvent } from './list.ts';
import { taskRouterEvent } from './taskrouter.ts';
import { callEvent, conferenceEvent, modifiedEvent, queueEndEvent, recordingEvent } from './voice.ts';

interface Seen {
  sequence: number;
  participants: Map<string, { hold: boolean; muted: boolean; left: boolean }>;
  ended: boolean;
}

/** Adds to the account's events what happens to live calls. @returns a function that ends it */
export function watchLiveCalls(deps: { world: World; events: EventLog; exchange: Exchange }): () => void {
  const { world, events, exchange } = deps;
  const conferences = new Map<string, Seen>();
  const queues = new Map<string, string>();
  const endedCalls = new Set<string>();
  const waited = new Set<string>();
  const note = (task: string, ...made: AgentEvent[]) => world.agentEvents.add(task, made);
  const conversationOf = (task: Task) => {
    const { conversationSid } = JSON.parse(task.attributes) as { conversationSid?: unknown };
    return task.channel === 'chat' && typeof conversationSid === 'string' ? conversationSid : undefined;
  };
  const converse = (task: Task, name: string, more: object = {}) => {
    const conversation = conversationOf(task);
    if (conversation === undefined) return;
    note(
      task.sid,
      conversationEvent(world, name, { at: world.clock.now(), task: task.sid, conversation, more }),
    );
  };
  /** The conversation is there before its task, or with it. */
  const beginConversation = (task: Task) => {
    const sid = conversationOf(task);
    if (sid !== undefined && !world.conversations.has(sid))
      openConversation(world, { sid, channel: 'webchat', address: 'dana.diaz' });
    converse(task, 'conversation.added');
    const { identity, binding } = world.conversations.get(sid ?? '')?.participants[0] ?? {};
    converse(task, 'participant.added', { identity, messagingBinding: binding ?? { type: 'web' } });
  };
  const endConversation = (task: Task) => {
    const conversation = world.conversations.get(conversationOf(task) ?? '');
    if (conversation) closeConversation(conversation, world.clock.now());
    converse(task, 'conversation-state.updated', { state: 'closed' });
  };

  /** What comes before a reservation: the task is made, and enters a queue; again when it changes the queue. */
  const enter = (task: Task) => {
    const at = world.clock.now();
    const queue = task.queue ?? '';
    const before = queues.get(task.sid);
    if (before === queue) return;
    queues.set(task.sid, queue);
    const ofTask = (type: string, more?: Record<string, string>) =>
      taskRouterEvent(world, type, { at, task, ...(more && { more }) });
    if (before !== undefined) {
      note(
        task.sid,
        ofTask('task-queue.moved', { previous_task_queue_name: before }),
        ofTask('task-queue.entered'),
      );
      return;
    }
    const call = exchange.customerOf(task.sid);
    if (call)
      for (const status of ['initiated', 'ringing', 'answered'] as const)
        note(task.sid, callEvent(world, status, { at, call, task: task.sid }));
    beginConversation(task);
    const known = world.taskEvents.get(task.sid);
    note(
      task.sid,
      taskRouterEvent(world, 'task.created', { at: known?.at ?? at, task, ...(known && { known }) }),
    );
    note(
      task.sid,
      ofTask('workflow.entered'),
      ofTask('task-queue.entered'),
      ofTask('workflow.target-matched'),
    );
  };

  const seenOf = (conference: Conference): Seen => {
    const seen = conferences.get(conference.sid) ?? { sequence: 0, participants: new Map(), ended: false };
    conferences.set(conference.sid, seen);
    return seen;
  };

  /** Compares a conference with what was seen of it last. */
  const compare = (conference: Conference) => {
    const at = world.clock.now();
    const seen = seenOf(conference);
    const say = (name: string, participant?: Participant) => {
      seen.sequence += 1;
      const { sequence } = seen;
      note(
        conference.friendlyName,
        conferenceEvent(world, name, { at, conference, sequence, ...(participant && { participant }) }),
      );
    };
    for (const one of conference.participants) {
      const now = { hold: one.hold ?? false, muted: one.muted ?? false, left: one.status === 'complete' };
      const before = seen.participants.get(one.callSid);
      seen.participants.set(one.callSid, now);
      const call = world.calls.get(one.callSid);
      if (!before) {
        if (seen.sequence === 0) say('conference-start');
        if (call && one.label !== 'customer')
          for (const status of ['initiated', 'answered'] as const)
            note(
              conference.friendlyName,
              callEvent(world, status, { at, call, task: conference.friendlyName }),
            );
        say('participant-join', one);
      }
      if (now.hold !== (before?.hold ?? false)) {
        // Flex holds by a request to the API, whether or not a status callback was asked for.
        note(conference.friendlyName, modifiedEvent(world, { at, conference, participant: one }));
        say(now.hold ? 'participant-hold' : 'participant-unhold', one);
      }
      if (now.muted !== (before?.muted ?? false))
        say(now.muted ? 'participant-mute' : 'participant-unmute', one);
      if (now.left && !before?.left) {
        say('participant-leave', one);
        if (call) endCall(conference.friendlyName, call.sid);
      }
    }
    if (conference.status === 'completed' && !seen.ended) {
      seen.ended = true;
      say('conference-end');
    }
  };
  const endCall = (task: string, sid: string) => {
    const call = world.calls.get(sid);
    if (!call || endedCalls.has(sid)) return;
    endedCalls.add(sid);
    note(task, callEvent(world, 'completed', { at: world.clock.now(), call, task }));
  };

  /** Once for each task: a transfer's wait is another queue's. */
  const endWait = (task: Task, result: string) => {
    const call = exchange.customerOf(task.sid);
    if (call?.direction !== 'inbound' || waited.has(task.sid)) return;
    waited.add(task.sid);
    note(task.sid, queueEndEvent(world, { at: world.clock.now(), call, task, result }));
  };

  const take = (event: LiveEvent) => {
    const at = world.clock.now();
    if (event.of === 'leg') {
      for (const conference of world.conferences.values())
        if (conference.friendlyName === event.taskSid) compare(conference);
      return;
    }
    if (event.of === 'task') {
      const { task, name } = event;
      note(task.sid, taskRouterEvent(world, `task.${name}`, { at, task }));
      const call = exchange.customerOf(task.sid);
      if (name === 'canceled' && call) {
        endWait(task, 'hangup');
        endCall(task.sid, call.sid);
      }
      if (name === 'completed' || name === 'canceled') endConversation(task);
      return;
    }
    if (event.of === 'transfer') {
      const { transfer, name } = event;
      const task = world.tasks.get(transfer.taskSid);
      if (task) note(task.sid, taskRouterEvent(world, `task.${name}`, { at, task, transfer }));
      return;
    }
    const { reservation, name } = event;
    const task = world.tasks.get(reservation.taskSid);
    if (!task) return;
    enter(task);
    const transfer = world.transfers.get(reservation.transferSid ?? '');
    note(
      task.sid,
      taskRouterEvent(world, `reservation.${name}`, { at, task, reservation, ...(transfer && { transfer }) }),
    );
    if (name === 'accepted') endWait(task, 'bridged');
    if (name !== 'accepted') return;
    const conversation = world.conversations.get(conversationOf(task) ?? '');
    const agent = world.workers.get(reservation.workerSid)?.identity ?? reservation.workerSid;
    if (conversation) joinConversation(conversation, agent, at);
    converse(task, 'participant.added', { identity: agent });
  };

  const stops = [
    exchange.on(take),
    events.subscribe(({ event, recording: sid }) => {
      const recording = event === 'twilio.recording-completed' && world.recordings.get(String(sid));
      if (!recording) return;
      const task = [...world.conferences.values()].find((one) =>
        one.participants.some(({ callSid }) => callSid === recording.callSid),
      )?.friendlyName;
      if (task !== undefined) note(task, recordingEvent(world, { at: world.clock.now(), recording, task }));
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
