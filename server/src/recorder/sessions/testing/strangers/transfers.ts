import type { Tale } from './tale.ts';

const attributes = { direction: 'inbound', from: '+34600000001' };

/** Calls with several agents. */
export const transfers: Tale[] = [
  {
    name: 'warm transfer to a worker who accepts',
    write(w) {
      const task = w.task('t', attributes);
      w.queued(0, task);
      const ada = w.offer(1, task, 'ada');
      w.accept(5, ada).transfer(60, ada, 'WARM', w.sid('WK', 'bert'));
      const bert = w.offer(61, task, 'bert');
      w.accept(70, bert).transfer(70, ada, 'WARM', w.sid('WK', 'bert'), 'completed');
      w.wrap(100, ada).complete(105, ada).wrap(200, bert).complete(210, bert);
    },
    contacts: [
      [
        'voice voice inbound 0 5 200 wait 5',
        'ada routing @Support 1 5 100 transferred wait 5 recorded',
        'bert warm-transfer @Support 61 70 200 completed wait 10 recorded',
      ],
    ],
  },
  ...(
    [
      ['rejects it', 'rejected', 'failed', 'rejected'],
      ['does not answer', 'timeout', 'attempt-failed', 'timeout'],
      ['is not reached, since the agent cancels it', 'canceled', 'canceled', 'canceled'],
    ] as const
  ).map(
    ([name, offer, transfer, reason]): Tale => ({
      name: `warm transfer to a worker who ${name}`,
      write(w) {
        const task = w.task('t', attributes);
        w.queued(0, task);
        const ada = w.offer(1, task, 'ada');
        w.accept(5, ada).transfer(60, ada, 'WARM', w.sid('WK', 'bert'));
        const bert = w.offer(61, task, 'bert');
        w.offerEnds(70, bert, offer, 'assigned').transfer(70, ada, 'WARM', w.sid('WK', 'bert'), transfer);
        w.wrap(100, ada).complete(105, ada);
      },
      contacts: [
        [
          'voice voice inbound 0 5 100 wait 5',
          'ada routing @Support 1 5 100 completed wait 5 recorded',
          `bert warm-transfer @Support 61 - 70 ${reason} not-accepted`,
        ],
      ],
    }),
  ),
  {
    name: 'warm transfer that fails, since no worker is there: a reservation.failed without reservation and worker',
    write(w) {
      const task = w.task('t', attributes);
      w.queued(0, task);
      const ada = w.offer(1, task, 'ada');
      w.accept(5, ada).transfer(60, ada, 'WARM', w.sid('WQ', 'Night'));
      w.router(61, 'reservation.failed', '', {
        task_sid: task.sid,
        task_attributes: '',
        reservation_sid: null,
      });
      w.transfer(61, ada, 'WARM', w.sid('WQ', 'Night'), 'failed', { transfer_failed_reason: 'No workers' });
      w.wrap(100, ada).complete(105, ada);
    },
    contacts: [
      ['voice voice inbound 0 5 100 wait 5', 'ada routing @Support 1 5 100 completed wait 5 recorded'],
    ],
  },
  {
    name: 'cold transfer to a queue: the first agent wraps up while the task is reserved for the next',
    write(w) {
      const task = w.task('t', attributes);
      w.queued(0, task);
      const ada = w.offer(1, task, 'ada');
      w.accept(5, ada)
        .transfer(60, ada, 'COLD', w.sid('WQ', 'Sales'))
        .wrap(60.4, ada)
        .enters(60.5, task, 'Sales');
      const bert = w.offer(80, task, 'bert');
      w.complete(81, ada).accept(90, bert).transfer(90, ada, 'COLD', w.sid('WQ', 'Sales'), 'completed');
      w.wrap(200, bert).complete(210, bert);
    },
    contacts: [
      [
        'voice voice inbound 0 5 200 wait 5',
        'ada routing @Support 1 5 60.4 transferred wait 5 recorded',
        'bert cold-transfer @Sales 80 90 200 completed wait 29.5 recorded',
      ],
    ],
  },
  {
    name: 'cold transfer to a worker',
    write(w) {
      const task = w.task('t', attributes);
      w.queued(0, task);
      const ada = w.offer(1, task, 'ada');
      w.accept(5, ada).transfer(60, ada, 'COLD', w.sid('WK', 'bert')).wrap(61, ada);
      const bert = w.offer(62, task, 'bert');
      w.complete(63, ada).accept(70, bert).transfer(70, ada, 'COLD', w.sid('WK', 'bert'), 'completed');
      w.wrap(200, bert).complete(210, bert);
    },
    contacts: [
      [
        'voice voice inbound 0 5 200 wait 5',
        'ada routing @Support 1 5 61 transferred wait 5 recorded',
        'bert cold-transfer @Support 62 70 200 completed wait 10 recorded',
      ],
    ],
  },
  {
    name: 'cold transfer to a worker who rejects; the task returns to a queue, and another takes it',
    write(w) {
      const task = w.task('t', attributes);
      w.queued(0, task);
      const ada = w.offer(1, task, 'ada');
      w.accept(5, ada).transfer(60, ada, 'COLD', w.sid('WK', 'bert')).wrap(61, ada);
      const bert = w.offer(62, task, 'bert');
      w.complete(63, ada)
        .offerEnds(70, bert, 'rejected')
        .transfer(70, ada, 'COLD', w.sid('WK', 'bert'), 'failed');
      w.enters(71, task, 'Support');
      w.segment(task, 'cleo', 80, 85, 200);
    },
    // The transfer failed: cleo has the call from the queue, and the wait is that in the queue.
    contacts: [
      [
        'voice voice inbound 0 5 200 wait 5',
        'ada routing @Support 1 5 61 transferred wait 5 recorded',
        'bert cold-transfer @Support 62 - 70 rejected not-accepted',
        'cleo re-queue @Support 80 85 200 completed wait 14 recorded',
      ],
    ],
  },
  {
    name: 'cold transfer to a queue in which the customer hangs up',
    write(w) {
      const task = w.task('t', attributes);
      w.queued(0, task);
      const ada = w.offer(1, task, 'ada');
      w.accept(5, ada)
        .transfer(60, ada, 'COLD', w.sid('WQ', 'Sales'))
        .wrap(60, ada)
        .enters(60, task, 'Sales')
        .complete(61, ada);
      w.of(100, task, 'task.canceled', 'canceled', { reason: 'hangup', task_canceled_reason: 'hangup' });
    },
    // The wait is that for the first agent. In the queue the customer is in no conference, so that there is no tail.
    contacts: [
      [
        'voice voice inbound 0 5 100 wait 5 abandoned',
        'ada routing @Support 1 5 60 transferred wait 5 recorded',
      ],
    ],
  },
  {
    name: 'a cold transfer that fails while its agent is still there',
    write(w) {
      const task = w.task('t', attributes);
      w.queued(0, task);
      const ada = w.offer(1, task, 'ada');
      w.accept(5, ada)
        .transfer(60, ada, 'COLD', w.sid('WQ', 'Night'))
        .transfer(61, ada, 'COLD', w.sid('WQ', 'Night'), 'failed');
      w.wrap(100, ada).complete(105, ada);
    },
    contacts: [
      ['voice voice inbound 0 5 100 wait 5', 'ada routing @Support 1 5 100 completed wait 5 recorded'],
    ],
  },
  {
    name: 'a colleague is asked by a task of its own, which is canceled: the customer is with the agent all the time',
    write(w) {
      const conversations = { conversation_id: w.sid('CF', 'c') };
      const task = w.task('t', { ...attributes, conversations });
      w.queued(0, task);
      const ada = w.offer(1, task, 'ada');
      w.accept(5, ada);
      const help = w.task('help', { ...attributes, conversations });
      w.queued(30, help, 'Experts').of(50, help, 'task.canceled', 'canceled', { reason: 'no longer needed' });
      w.wrap(100, ada).complete(105, ada);
    },
    contacts: [
      ['voice voice inbound 0 5 100 wait 5', 'ada routing @Support 1 5 100 completed wait 5 recorded'],
    ],
  },
  {
    name: 'consult, then a conference of three, which the customer leaves',
    write(w) {
      const task = w.task('t', { ...attributes, call_sid: w.sid('CA', 'customer') });
      w.queued(0, task);
      const ada = w.offer(1, task, 'ada');
      w.accept(5, ada)
        .conference(5, task, 'start')
        .leg(5, task, 'join', 'customer')
        .leg(5, task, 'join', 'worker');
      w.leg(59, task, 'hold', 'customer').transfer(60, ada, 'WARM', w.sid('WK', 'bert'));
      const bert = w.offer(61, task, 'bert');
      w.accept(70, bert).leg(70, task, 'join', 'worker2', { ParticipantLabel: 'worker' });
      w.transfer(70, ada, 'WARM', w.sid('WK', 'bert'), 'completed').leg(90, task, 'unhold', 'customer');
      w.leg(150, task, 'leave', 'customer').conference(150, task, 'end');
      w.wrap(150, ada).wrap(150, bert).complete(160, ada).complete(170, bert);
    },
    needsVoice: true,
    contacts: [
      [
        'voice voice inbound 0 5 150 wait 5',
        'ada routing @Support 1 5 150 completed wait 5 recorded hold 59..90 unhold',
        'bert warm-transfer @Support 61 70 150 completed wait 10 recorded',
      ],
    ],
  },
  {
    name: 'a supervisor listens, then speaks: no interaction, and no hold of the customer',
    write(w) {
      const task = w.task('t', attributes);
      w.queued(0, task);
      const ada = w.offer(1, task, 'ada');
      w.accept(5, ada)
        .conference(5, task, 'start')
        .leg(5, task, 'join', 'customer')
        .leg(5, task, 'join', 'worker');
      const coach = { Coaching: 'true', CallSidToCoach: w.sid('CA', 'worker'), Muted: 'true' };
      w.leg(20, task, 'join', 'supervisor', coach).leg(30, task, 'unmute', 'supervisor', {
        ...coach,
        Muted: 'false',
      });
      w.leg(50, task, 'modify', 'supervisor', { Coaching: 'false' }).leg(60, task, 'leave', 'supervisor');
      w.leg(80, task, 'leave', 'customer').wrap(80, ada).complete(85, ada);
    },
    contacts: [
      ['voice voice inbound 0 5 80 wait 5', 'ada routing @Support 1 5 80 completed wait 5 recorded'],
    ],
  },
  {
    name: 'external transfer: the agent leaves, customer and third party talk on',
    write(w) {
      const task = w.task('t', { ...attributes, call_sid: w.sid('CA', 'customer') });
      w.queued(0, task);
      const ada = w.offer(1, task, 'ada');
      w.accept(5, ada)
        .conference(5, task, 'start')
        .leg(5, task, 'join', 'customer')
        .leg(5, task, 'join', 'worker');
      w.leg(30, task, 'hold', 'customer')
        .leg(35, task, 'join', 'external')
        .leg(45, task, 'unhold', 'customer');
      w.leg(60, task, 'leave', 'worker')
        .wrap(60, ada)
        .complete(70, ada)
        .of(70, task, 'task.completed', 'completed');
      w.leg(600, task, 'leave', 'external').leg(600, task, 'leave', 'customer').conference(601, task, 'end');
    },
    needsVoice: true,
    contacts: [
      [
        'voice voice inbound 0 5 60 wait 5',
        'ada routing @Support 1 5 60 completed wait 5 recorded hold 30..45 unhold',
        'tail 60..601',
      ],
    ],
  },
  {
    name: 'the third participant is on hold, then the customer: two holds',
    write(w) {
      const task = w.task('t', attributes);
      w.queued(0, task);
      const ada = w.offer(1, task, 'ada');
      w.accept(5, ada)
        .conference(5, task, 'start')
        .leg(5, task, 'join', 'customer')
        .leg(35, task, 'join', 'external');
      w.leg(40, task, 'hold', 'external').leg(50, task, 'hold', 'customer');
      w.leg(60, task, 'unhold', 'external').leg(70, task, 'unhold', 'customer');
      w.wrap(80, ada).complete(85, ada);
    },
    needsVoice: true,
    contacts: [
      [
        'voice voice inbound 0 5 80 wait 5',
        'ada routing @Support 1 5 80 completed wait 5 recorded hold 40..60 unhold hold 50..70 unhold',
      ],
    ],
  },
  {
    name: 'holds by requests of the API alone, in every spelling of a truth, and one that the agent leaves',
    write(w) {
      const task = w.task('t', attributes);
      w.queued(0, task);
      const ada = w.offer(1, task, 'ada');
      w.accept(5, ada).conference(5, task, 'start').leg(5, task, 'join', 'customer');
      w.modify(10, task, 'customer', { Hold: 'True' }).modify(20, task, 'customer', { Hold: 'False' });
      w.modify(30, task, 'customer', { Hold: 'true' }).modify(31, task, 'customer', { Muted: 'true' });
      w.modify(40, task, 'customer', { Hold: 'false' }).modify(50, task, 'customer', { Hold: 'true' });
      w.wrap(80, ada).complete(85, ada);
    },
    needsVoice: true,
    contacts: [
      [
        'voice voice inbound 0 5 80 wait 5',
        'ada routing @Support 1 5 80 completed wait 5 recorded hold 10..20 unhold hold 30..40 unhold hold 50..80 interaction',
      ],
    ],
  },
  {
    name: 'consult: the colleague leaves first, and the agent continues',
    write(w) {
      const task = w.task('t', attributes);
      w.queued(0, task);
      const ada = w.offer(1, task, 'ada');
      w.accept(5, ada).transfer(60, ada, 'WARM', w.sid('WK', 'bert'));
      const bert = w.offer(61, task, 'bert');
      w.accept(70, bert).transfer(70, ada, 'WARM', w.sid('WK', 'bert'), 'completed');
      w.wrap(90, bert).complete(95, bert).wrap(150, ada).complete(160, ada);
    },
    contacts: [
      [
        'voice voice inbound 0 5 150 wait 5',
        'ada routing @Support 1 5 150 completed wait 5 recorded',
        'bert warm-transfer @Support 61 70 90 completed wait 10 recorded',
      ],
    ],
  },
  {
    name: 'a cold transfer leaves the customer on hold until the next agent takes the call',
    write(w) {
      const task = w.task('t', { ...attributes, call_sid: w.sid('CA', 'customer') });
      w.queued(0, task);
      const ada = w.offer(1, task, 'ada');
      w.accept(5, ada)
        .conference(5, task, 'start')
        .leg(5, task, 'join', 'customer')
        .leg(59, task, 'hold', 'customer');
      w.transfer(60, ada, 'COLD', w.sid('WQ', 'Sales'))
        .wrap(60, ada)
        .enters(60, task, 'Sales')
        .complete(65, ada);
      w.segment(task, 'bert', 80, 90, 200);
      w.leg(90, task, 'unhold', 'customer');
    },
    needsVoice: true,
    // The hold is the one that ada began, and lasts beyond ada's part, as the customer heard it.
    contacts: [
      [
        'voice voice inbound 0 5 200 wait 5',
        'ada routing @Support 1 5 60 transferred wait 5 recorded hold 59..90 unhold',
        'bert cold-transfer @Sales 80 90 200 completed wait 30 recorded',
      ],
    ],
  },
  {
    name: 'a conference that ends and begins again under the name of its task',
    write(w) {
      const task = w.task('t', attributes);
      w.queued(0, task);
      const ada = w.offer(1, task, 'ada');
      w.accept(5, ada)
        .conference(5, task, 'start')
        .leg(5, task, 'join', 'customer')
        .leg(10, task, 'hold', 'customer');
      w.conference(20, task, 'end');
      task.conference = w.sid('CF', 'second');
      task.sequence = 0;
      w.conference(30, task, 'start').leg(31, task, 'join', 'customer2', { ParticipantLabel: 'customer' });
      w.leg(40, task, 'hold', 'customer2').leg(50, task, 'unhold', 'customer2').conference(80, task, 'end');
      w.wrap(81, ada).complete(85, ada);
    },
    needsVoice: true,
    contacts: [
      [
        'voice voice inbound 0 5 81 wait 5',
        'ada routing @Support 1 5 81 completed wait 5 recorded hold 10..20 conference hold 40..50 unhold',
      ],
    ],
  },
];
