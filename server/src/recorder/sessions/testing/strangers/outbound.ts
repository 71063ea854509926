import type { Tale } from './tale.ts';
import type { Wire } from './wire.ts';

const dialled = {
  direction: 'outbound',
  outbound_to: '+34600000002',
  from: '+34900000000',
  targetWorker: 'client:ada',
};

/** An agent dials by the dial pad: the task is the agent's at once, and the customer's leg rings. */
function dials(w: Wire, name = 't', attributes: object = dialled) {
  const task = w.task(name, attributes);
  w.queued(0, task, 'Everyone');
  const one = w.offer(0.3, task, 'ada');
  w.accept(0.6, one).conference(1, task, 'start').leg(1, task, 'join', 'worker');
  const direction = { Direction: 'outbound-api', To: '+34600000002', From: '+34900000000' };
  w.call(1.2, 'initiated', 'customer', direction).call(2, 'ringing', 'customer', direction);
  return { task, one, direction };
}

/** Calls that an agent makes, and calls between agents. */
export const outbound: Tale[] = [
  // An agent who dials is not waited for: outbound and internal calls have no wait.
  {
    name: 'outbound, answered',
    write(w) {
      const { task, one, direction } = dials(w);
      w.call(9, 'answered', 'customer', direction).leg(9.25, task, 'join', 'customer');
      w.call(69, 'completed', 'customer', { ...direction, CallStatus: 'completed', CallDuration: '60' });
      w.leg(69, task, 'leave', 'customer').conference(69, task, 'end').wrap(69, one).complete(80, one);
    },
    needsVoice: true,
    contacts: [['voice voice outbound 0 9 69', 'ada outbound @Everyone 0.3 0.6 69 completed recorded']],
  },
  ...['busy', 'no-answer', 'failed', 'canceled'].map(
    (CallStatus): Tale => ({
      name: `outbound, ${CallStatus}`,
      write(w) {
        const { task, one, direction } = dials(w);
        w.call(30, 'completed', 'customer', { ...direction, CallStatus, CallDuration: '0' });
        // The leg never joins a conference, but the attributes of the task name it.
        task.attributes = JSON.stringify({
          ...dialled,
          conference: { sid: task.conference, participants: { customer: w.sid('CA', 'customer') } },
        });
        w.of(1.5, task, 'task.updated', 'assigned')
          .leg(31, task, 'leave', 'worker')
          .conference(31, task, 'end');
        w.wrap(31, one).complete(33, one);
      },
      needsVoice: true,
      contacts: [
        ['voice voice outbound 0 - 31 unanswered', 'ada outbound @Everyone 0.3 0.6 31 completed unanswered'],
      ],
    }),
  ),
  {
    name: 'outbound, a machine answers: it is recorded like a person',
    write(w) {
      const { task, one, direction } = dials(w);
      w.call(9, 'answered', 'customer', direction).leg(9, task, 'join', 'customer');
      w.voice(12, 'status-callback.amd.detected', {
        CallSid: w.sid('CA', 'customer'),
        AnsweredBy: 'machine_start',
      });
      w.wrap(40, one).complete(41, one);
    },
    needsVoice: true,
    contacts: [['voice voice outbound 0 9 40', 'ada outbound @Everyone 0.3 0.6 40 completed recorded']],
  },
  {
    name: 'a call between agents: two tasks, and conferenceSid is the first one',
    write(w) {
      const first = w.task('first', {
        direction: 'outbound',
        client_call: true,
        outbound_to: 'client:bert',
        autoAnswer: 'true',
      });
      w.queued(0, first, 'Internal');
      const ada = w.offer(0, first, 'ada');
      w.accept(1, ada).conference(1, first, 'start').leg(1, first, 'join', 'worker');
      const second = w.task('second', {
        direction: 'inbound',
        client_call: true,
        name: 'ada',
        conferenceSid: first.sid,
      });
      w.queued(2, second, 'Internal');
      w.segment(second, 'bert', 3, 8, 60);
      w.wrap(60, ada).complete(61, ada);
    },
    contacts: [
      [
        'voice voice internal 0 8 60',
        'ada internal @Internal 0 1 60 completed recorded',
        'bert internal @Internal 3 8 60 completed recorded',
      ],
    ],
  },
  {
    name: 'a voicemail task: work, though its channel is voice and it names the call that left it',
    write(w) {
      const call_sid = w.sid('CA', 'customer');
      const first = w.task('first', {
        direction: 'inbound',
        call_sid,
        conversations: { conversation_id: w.sid('CA', 'customer') },
      });
      w.queued(0, first).of(40, first, 'task.canceled', 'canceled', {
        reason: 'redirected',
        task_canceled_reason: 'redirected',
      });
      const voicemail = w.task('voicemail', {
        ...{
          taskType: 'voicemail',
          direction: 'inbound',
          call_sid,
          conversations: { conversation_id: first.sid },
        },
        ...{
          callBackData: { recordingSid: w.sid('RE', 'voicemail'), numberToCall: '+34600000001', attempts: 0 },
        },
      });
      w.queued(80, voicemail, 'Voicemail');
      w.segment(voicemail, 'ada', 3600, 3605, 3700);
    },
    contacts: [
      [
        'voice voice inbound 0 - 3700 wait 40 diverted',
        'ada routing work @Voicemail 3600 3605 3700 completed wait 3525 work-item',
      ],
    ],
  },
  {
    name: 'a callback from the queue: work for the agent, who then dials',
    write(w) {
      const call_sid = w.sid('CA', 'waiting');
      const first = w.task('first', { direction: 'inbound', call_sid });
      w.queued(0, first).of(40, first, 'task.canceled', 'canceled', {
        reason: 'callback requested',
        task_canceled_reason: 'callback requested',
      });
      const conversations = { conversation_id: first.sid };
      const callback = w.task('callback', {
        taskType: 'callback',
        direction: 'inbound',
        conversations,
        callBackData: {},
      });
      w.queued(41, callback, 'Callbacks');
      const work = w.offer(600, callback, 'ada');
      w.accept(605, work);
      const call = w.task('call', { ...dialled, conversations, parentTask: callback.sid });
      w.queued(610, call, 'Everyone');
      const one = w.offer(610, call, 'ada');
      w.accept(611, one)
        .conference(611, call, 'start')
        .leg(611, call, 'join', 'worker')
        .leg(620, call, 'join', 'customer');
      w.wrap(700, one).complete(705, one).wrap(710, work).complete(711, work);
    },
    needsVoice: true,
    contacts: [
      [
        'voice voice inbound 0 620 710 wait 40 diverted',
        'ada routing work @Callbacks 600 605 710 completed wait 564 work-item',
        'ada outbound outbound @Everyone 610 611 700 completed recorded',
      ],
    ],
  },
  {
    name: 'a callback that is tried twice: the first call is not answered, the second one is',
    write(w) {
      const conversations = { conversation_id: w.sid('WT', 'waiting') };
      const lost = dials(w, 'first', { ...dialled, conversations });
      w.leg(1.5, lost.task, 'join', 'first leg', { ParticipantLabel: 'customer' });
      lost.task.attributes = JSON.stringify({ ...dialled, conversations, call_sid: w.sid('CA', 'customer') });
      w.call(30, 'completed', 'customer', { CallStatus: 'no-answer' }).of(
        30,
        lost.task,
        'task.updated',
        'assigned',
      );
      w.wrap(31, lost.one).complete(32, lost.one);
      const again = w.task('second', { ...dialled, conversations, call_sid: w.sid('CA', 'again') });
      w.queued(100, again, 'Everyone');
      const one = w.offer(100, again, 'ada');
      w.accept(101, one)
        .call(110, 'answered', 'again', { Direction: 'outbound-api' })
        .wrap(170, one)
        .complete(180, one);
    },
    needsVoice: true,
    contacts: [
      [
        'voice voice outbound 0 110 170',
        'ada outbound @Everyone 0.3 0.6 31 completed unanswered',
        'ada outbound @Everyone 100 101 170 completed recorded',
      ],
    ],
  },
  {
    name: 'a callback that is not answered: the customer was reached by no agent',
    write(w) {
      const conversations = { conversation_id: w.sid('WT', 'waiting') };
      const waiting = w.task('waiting', { direction: 'inbound', conversations });
      w.queued(0, waiting).of(40, waiting, 'task.canceled', 'canceled', { reason: 'callback requested' });
      const call = w.task('call', { ...dialled, conversations, call_sid: w.sid('CA', 'again') });
      w.queued(100, call, 'Everyone');
      const one = w.offer(100, call, 'ada');
      w.accept(101, one)
        .call(130, 'completed', 'again', { CallStatus: 'no-answer' })
        .wrap(131, one)
        .complete(132, one);
    },
    needsVoice: true,
    contacts: [
      [
        'voice voice inbound 0 - 131 wait 40 diverted unanswered',
        'ada outbound outbound @Everyone 100 101 131 completed unanswered',
      ],
    ],
  },
  {
    name: 'outbound without events of voice: whether it was answered is unknown',
    write(w) {
      const task = w.task('t', dialled);
      w.queued(0, task, 'Everyone');
      w.segment(task, 'ada', 0.3, 0.6, 69);
    },
    contacts: [['voice voice outbound 0 - 69', 'ada outbound @Everyone 0.3 0.6 69 completed recorded']],
  },
  {
    name: 'a survey after the call, which ends as canceled',
    write(w) {
      const task = w.task('t', { direction: 'inbound', call_sid: w.sid('CA', 'customer') });
      w.queued(0, task);
      w.segment(task, 'ada', 1, 5, 60);
      const survey = w.task(
        'survey',
        {
          conversations: {
            conversation_id: task.sid,
            kind: 'Survey',
            virtual: 'Yes',
            abandoned: 'Follow-Up',
          },
          conversation_attribute_1: '5',
        },
        'survey',
      );
      w.queued(61, survey, 'Survey');
      w.of(90, survey, 'task.canceled', 'canceled', {
        reason: 'CSAT saved',
        task_canceled_reason: 'CSAT saved',
      });
    },
    contacts: [
      ['voice voice inbound 0 5 60 wait 5 survey', 'ada routing @Support 1 5 60 completed wait 5 recorded'],
    ],
  },
];
