import type { Tale } from './tale.ts';

const inbound = { direction: 'inbound', from: '+34600000001', to: '+34900000000', name: '+34600000001' };

/** Calls with one agent or none. */
export const calls: Tale[] = [
  {
    name: 'inbound, every event of voice, attributes that grow',
    write(w) {
      const call_sid = w.sid('CA', 'customer');
      const task = w.task('t', { ...inbound, call_sid });
      w.call(0, 'ringing', 'customer').call(0.2, 'answered', 'customer', { CallStatus: 'in-progress' });
      w.queued(2, task);
      const one = w.offer(3, task, 'ada');
      w.accept(7.5, one)
        .conference(8, task, 'start')
        .leg(8, task, 'join', 'customer')
        .leg(8, task, 'join', 'worker');
      const conference = {
        sid: task.conference,
        participants: { customer: call_sid, worker: w.sid('CA', 'worker') },
      };
      task.attributes = JSON.stringify({
        ...inbound,
        call_sid,
        conference,
        conversations: { conversation_id: task.sid },
      });
      w.of(9, task, 'task.updated', 'assigned');
      w.voice(8, 'twiml.enqueue.finished', { CallSid: call_sid, QueueTime: '6', QueueResult: 'bridged' });
      w.leg(20, task, 'hold', 'customer').leg(50, task, 'unhold', 'customer');
      w.leg(90, task, 'leave', 'worker').leg(90, task, 'leave', 'customer').conference(91, task, 'end');
      w.wrap(91, one).of(91, task, 'task.wrapup', 'wrapping').complete(120, one);
      w.of(120, task, 'task.completed', 'completed', { task_completed_reason: 'done' });
      w.of(420, task, 'task.deleted', 'completed');
    },
    needsVoice: true,
    contacts: [
      [
        'voice voice inbound 2 7.5 91 wait 5.5',
        'ada routing @Support 3 7.5 91 completed wait 5.5 recorded hold 20..50 unhold',
      ],
    ],
  },
  {
    name: 'accepted by itself: offer and acceptance in one millisecond, as in auto accept',
    write(w) {
      const task = w.task('t', inbound);
      w.queued(0, task);
      w.segment(task, 'ada', 0, 0, 30, 30);
      w.of(30, task, 'task.completed', 'completed');
    },
    contacts: [
      ['voice voice inbound 0 0 30 wait 0', 'ada routing @Support 0 0 30 completed wait 0 recorded'],
    ],
  },
  ...[
    ['null', null],
    ['an empty text', ''],
    ['"undefined"', 'undefined'],
    ['cut JSON', '{"direction":"inb'],
    ['an array', '[]'],
    ['a number', '17'],
    ['JSON in JSON in JSON', JSON.stringify(JSON.stringify(JSON.stringify(inbound)))],
    [
      'attributes of wrong kinds',
      JSON.stringify({ direction: 7, call_sid: {}, conversations: [], conference: 'none', channelSid: 0 }),
    ],
  ].map(
    ([name, attributes]): Tale => ({
      name: `attributes are ${name}`,
      write(w) {
        const task = w.task('t', attributes);
        w.queued(1, task);
        w.segment(task, 'ada', 4, 6, 40);
        w.of(45, task, 'task.completed', 'completed');
      },
      contacts: [
        ['voice voice inbound 1 6 40 wait 5', 'ada routing @Support 4 6 40 completed wait 5 recorded'],
      ],
    }),
  ),
  {
    name: 'no versions at all, as the Events API and old schemas have it; the worker has a contact_uri alone',
    write(w) {
      const task = w.task('t', inbound);
      w.queued(1, task);
      const one = w.reservation(task, 'ada');
      const without = { task_version: null, reservation_version: null };
      w.says(5, one, 'created', 'reserved', without).says(9, one, 'accepted', 'assigned', without);
      w.says(60, one, 'wrapup', 'wrapping', without).says(70, one, 'completed', 'completed', without);
    },
    contacts: [
      ['voice voice inbound 1 9 60 wait 8', 'ada routing @Support 5 9 60 completed wait 8 recorded'],
    ],
  },
  {
    name: 'whole seconds alone: no milliseconds in the payload, and all events of a moment at one time',
    start: '2026-11-30T09:00:00.000Z',
    write(w) {
      const task = w.task('t', inbound);
      w.queued(1, task);
      w.segment(task, 'ada', 5, 5.4, 60.8, 61);
      for (const event of w.events) {
        event.time = event.time.replace(/\.\d+Z/, 'Z');
        if (typeof event.data === 'object') event.data['timestamp'] = null;
      }
    },
    contacts: [
      ['voice voice inbound 1 5 60 wait 4', 'ada routing @Support 5 5 60 completed wait 4 recorded'],
    ],
  },
  {
    name: 'three queues by timeouts of the workflow, an offer that times out in the second',
    write(w) {
      const task = w.task('t', inbound);
      w.queued(0, task, 'Sales');
      w.of(30, task, 'task-queue.timeout', 'pending')
        .of(30, task, 'workflow.skipped', 'pending')
        .enters(30, task, 'Support');
      const first = w.offer(31, task, 'bert');
      w.offerEnds(51, first, 'timeout');
      w.of(60, task, 'task-queue.timeout', 'pending').enters(60, task, 'Everyone');
      w.segment(task, 'ada', 61, 65, 100);
    },
    contacts: [
      [
        'voice voice inbound 0 65 100 wait 65',
        'bert routing @Support 31 - 51 timeout not-accepted',
        'ada routing @Everyone 61 65 100 completed wait 65 recorded',
      ],
    ],
  },
  {
    name: 'two offers at once, the slower one is rescinded while the task is assigned',
    write(w) {
      const task = w.task('t', inbound);
      w.queued(0, task);
      const [ada, bert] = [w.offer(2, task, 'ada'), w.offer(2, task, 'bert')];
      w.accept(5, bert).offerEnds(5, ada, 'rescinded', 'assigned').wrap(50, bert).complete(55, bert);
    },
    contacts: [
      [
        'voice voice inbound 0 5 50 wait 5',
        'ada routing @Support 2 - 5 rescinded not-accepted',
        'bert routing @Support 2 5 50 completed wait 5 recorded',
      ],
    ],
  },
  {
    name: 'the customer hangs up while waiting, and during an offer',
    write(w) {
      const task = w.task('t', inbound);
      w.queued(0, task);
      const one = w.offer(10, task, 'ada');
      w.offerEnds(14, one, 'canceled', 'canceled');
      w.of(14, task, 'task.canceled', 'canceled', { reason: 'hangup', task_canceled_reason: 'hangup' });
    },
    contacts: [
      [
        'voice voice inbound 0 - 14 wait 14 inactive abandoned',
        'ada routing @Support 10 - 14 canceled not-accepted',
      ],
    ],
  },
  ...[
    ['Task TTL Exceeded', 'diverted'],
    ['Task canceled on Workflow timeout', 'diverted'],
    ['redirected', 'diverted'],
    ['Customer chose voicemail', 'diverted'],
    ['Call hungup', 'abandoned'],
    ['Customer hung up', 'abandoned'],
    ['', 'abandoned'],
    [null, 'abandoned'],
  ].map(
    ([reason, mark]): Tale => ({
      name: `waiting, and canceled with the reason ${JSON.stringify(reason)}`,
      write(w) {
        const task = w.task('t', inbound);
        w.queued(0, task).of(20, task, 'task.canceled', 'canceled', { reason, task_canceled_reason: reason });
      },
      contacts: [[`voice voice inbound 0 - 20 wait 20 inactive ${mark}`]],
    }),
  ),
  {
    name: 'a waiting task that is deleted by the API',
    write(w) {
      const task = w.task('t', inbound);
      w.queued(0, task).of(20, task, 'task.deleted', 'pending');
    },
    // A program took it out of the queue. TaskRouter cancels the tasks of customers who hang up.
    contacts: [['voice voice inbound 0 - 20 wait 20 inactive diverted']],
  },
  {
    name: 'a waiting task at the end of its life of two weeks',
    write(w) {
      const task = w.task('t', inbound);
      w.queued(0, task).of(1_209_600, task, 'task.system-deleted', 'pending');
    },
    contacts: [['voice voice inbound 0 - 1209600 wait 1209600 inactive diverted']],
  },
  {
    name: 'the acceptance is lost: the end says that the agent took it, and the contact is incomplete',
    write(w) {
      const task = w.task('t', inbound);
      w.queued(0, task);
      const one = w.offer(1, task, 'ada');
      one.version++;
      w.wrap(60, one).complete(70, one);
    },
    contacts: [['voice voice inbound 0 - 60 incomplete', 'ada routing @Support 1 - 60 completed recorded']],
  },
  {
    name: 'the browser was closed in the wrap-up: TaskRouter completes the reservation hours later',
    write(w) {
      const task = w.task('t', inbound);
      w.queued(0, task);
      const one = w.offer(1, task, 'ada');
      w.accept(3, one).wrap(60, one).of(60, task, 'task.wrapup', 'wrapping');
      w.router(70, 'worker.activity.update', w.sid('WK', 'ada'), {
        worker_sid: w.sid('WK', 'ada'),
        worker_activity_name: 'Offline',
      });
      w.complete(14_460, one, 'Worker wrap-up timed out');
      w.of(14_460, task, 'task.completed', 'completed', {
        task_completed_reason: 'Task completed by the system',
      });
    },
    contacts: [
      ['voice voice inbound 0 3 60 wait 3', 'ada routing @Support 1 3 60 completed wait 3 recorded'],
    ],
  },
  {
    name: 'no wrap-up: the API completes the task while it is assigned',
    write(w) {
      const task = w.task('t', inbound);
      w.queued(0, task);
      const one = w.offer(1, task, 'ada');
      w.accept(3, one).complete(44, one, 'closed by API').of(44, task, 'task.completed', 'completed');
    },
    contacts: [
      ['voice voice inbound 0 3 44 wait 3', 'ada routing @Support 1 3 44 completed wait 3 recorded'],
    ],
  },
  {
    name: 'the API cancels an assigned task: its reservation is canceled',
    write(w) {
      const task = w.task('t', inbound);
      w.queued(0, task);
      const one = w.offer(1, task, 'ada');
      w.accept(3, one).offerEnds(44, one, 'canceled', 'canceled', 'x-9');
      w.of(44, task, 'task.canceled', 'canceled', { reason: 'x-9', task_canceled_reason: 'x-9' });
    },
    contacts: [['voice voice inbound 0 3 44 wait 3', 'ada routing @Support 1 3 44 canceled wait 3 recorded']],
  },
  {
    name: 'system-deleted after its life of 24 hours, and no event of the reservation',
    write(w) {
      const task = w.task('t', inbound);
      w.queued(0, task);
      w.accept(3, w.offer(1, task, 'ada')).of(86_400, task, 'task.system-deleted', 'assigned');
    },
    // Only reservations end an interaction; that its task is gone says that an event is missing.
    contacts: [
      ['voice voice inbound 0 3 - wait 3 incomplete', 'ada routing @Support 1 3 - open wait 3 recorded'],
    ],
  },
  {
    name: 'events of workers and queues beside a call are of no contact',
    write(w) {
      const worker_sid = w.sid('WK', 'ada');
      const task = w.task('t', inbound);
      w.router(0, 'worker.created', worker_sid, { worker_sid, worker_attributes: '{}' });
      w.router(1, 'worker.activity.update', worker_sid, { worker_sid, worker_activity_name: 'Available' });
      w.router(1, 'worker.capacity.update', worker_sid, { worker_sid, worker_channel_capacity: '3' });
      w.router(1, 'worker.channel.availability.update', worker_sid, {
        worker_sid,
        task_channel_unique_name: 'voice',
      });
      w.router(1, 'worker.attributes.update', worker_sid, {
        worker_sid,
        worker_attributes: '{"call_sid":"x"}',
      });
      w.router(2, 'task-queue.created', w.sid('WQ', 'Support'), { task_queue_sid: w.sid('WQ', 'Support') });
      w.router(2, 'task-queue.expression-updated', w.sid('WQ', 'Support'), {
        task_queue_sid: w.sid('WQ', 'Support'),
      });
      w.queued(3, task);
      w.segment(task, 'ada', 4, 5, 25);
      w.router(26, 'worker.activity.update', worker_sid, { worker_sid, task_sid: '', reservation_sid: '' });
    },
    contacts: [
      ['voice voice inbound 3 5 25 wait 2', 'ada routing @Support 4 5 25 completed wait 2 recorded'],
    ],
  },
  {
    name: 'over midnight and the end of daylight saving time: lengths are those of the clock of the world',
    start: '2026-10-25T00:59:30.000Z',
    write(w) {
      const task = w.task('t', inbound);
      w.queued(0, task);
      w.segment(task, 'ada', 1, 10, 3700);
    },
    contacts: [
      ['voice voice inbound 0 10 3700 wait 10', 'ada routing @Support 1 10 3700 completed wait 10 recorded'],
    ],
  },
  {
    name: 'two calls of one agent from one caller in one queue, and a chat beside them',
    write(w) {
      const [first, second] = [
        w.task('t1', { ...inbound, call_sid: w.sid('CA', '1') }),
        w.task('t2', { ...inbound, call_sid: w.sid('CA', '2') }),
      ];
      const chat = w.task('c', { ...inbound, channelSid: w.sid('CH', 'c'), channelType: 'web' }, 'chat');
      w.queued(0, first).queued(1, chat).queued(2, second);
      w.segment(chat, 'ada', 3, 4, 200);
      w.segment(first, 'ada', 5, 6, 50);
      w.segment(second, 'ada', 60, 61, 90);
      w.closesConversation(210, w.sid('CH', 'c'));
    },
    contacts: [
      ['voice voice inbound 0 6 50 wait 6', 'ada routing @Support 5 6 50 completed wait 6 recorded'],
      ['web text inbound 1 4 210 wait 3', 'ada routing @Support 3 4 200 completed wait 3 text'],
      ['voice voice inbound 2 61 90 wait 59', 'ada routing @Support 60 61 90 completed wait 59 recorded'],
    ],
  },
  {
    name: 'events of another account are none of ours, whatever they name',
    write(w) {
      const task = w.task('t', inbound);
      w.queued(0, task);
      w.segment(task, 'ada', 1, 2, 30);
      const other = { account_sid: `AC${'b'.repeat(32)}` };
      w.of(40, task, 'task-queue.entered', 'pending', other);
      w.says(41, w.reservation(task, 'bert'), 'created', 'reserved', other);
      w.voice(42, 'status-callback.call.completed', {
        AccountSid: other.account_sid,
        CallSid: w.sid('CA', 'x'),
      });
    },
    contacts: [
      ['voice voice inbound 0 2 30 wait 2', 'ada routing @Support 1 2 30 completed wait 2 recorded'],
    ],
  },
  {
    name: 'deprecated names of voice, and legs by ParticipantSid',
    write(w) {
      const task = w.task('t', { ...inbound, call_sid: w.sid('CA', 'customer') });
      w.voice(0, 'webhook.status-callback.call.ringing', {
        CallSid: w.sid('CA', 'customer'),
        Direction: 'inbound',
      });
      w.queued(1, task);
      const one = w.offer(2, task, 'ada');
      w.accept(4, one).conference(4, task, 'start');
      const by = (leg: string) => ({ CallSid: undefined, ParticipantSid: w.sid('CA', leg) });
      w.leg(4, task, 'join', 'customer', by('customer')).leg(4, task, 'join', 'worker', by('worker'));
      w.leg(10, task, 'hold', 'customer', by('customer')).leg(20, task, 'unhold', 'customer', by('customer'));
      w.voice(60, 'webhook.status-callback.call.completed', {
        CallSid: w.sid('CA', 'customer'),
        CallDuration: '60',
      });
      w.wrap(60, one).complete(62, one);
    },
    needsVoice: true,
    contacts: [
      [
        'voice voice inbound 1 4 60 wait 3',
        'ada routing @Support 2 4 60 completed wait 3 recorded hold 10..20 unhold',
      ],
    ],
  },
];
