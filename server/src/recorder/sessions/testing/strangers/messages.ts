import type { Tale } from './tale.ts';

const day = 86_400;

/** Conversations by messages and e-mail, in Flex Conversations and in the former chat. */
export const messages: Tale[] = [
  {
    name: 'SMS over three days: the agent leaves, the reply is a new task of the same interaction',
    write(w) {
      const channelSid = w.sid('CH', 'c');
      const attributes = {
        channelType: 'sms',
        conversationSid: channelSid,
        channelSid,
        flexInteractionSid: w.sid('KD', 'k'),
        from: '+34600000001',
      };
      w.conversation(0, 'conversation.added', channelSid, { State: 'active' });
      const first = w.task('t1', attributes, 'sms');
      w.queued(1, first);
      w.segment(first, 'ada', 2, 10, 600, 620);
      w.conversation(600, 'conversation-state.updated', channelSid, {
        StateFrom: 'active',
        StateTo: 'inactive',
        Reason: 'TIMER',
      });
      w.conversation(2 * day, 'conversation-state.updated', channelSid, {
        StateFrom: 'inactive',
        StateTo: 'active',
        Reason: 'EVENT',
      });
      const second = w.task('t2', attributes, 'sms');
      w.queued(2 * day, second);
      w.segment(second, 'bert', 2 * day + 5, 2 * day + 30, 2 * day + 900);
      w.closesConversation(3 * day, channelSid, 'inactive', 'TIMER');
    },
    // A contact opens with its first task: a conversation may have gone on for days before, with a program.
    contacts: [
      [
        `sms text inbound 1 10 ${3 * day} wait 9`,
        'ada routing @Support 2 10 600 completed wait 9 text',
        `bert routing @Support ${2 * day + 5} ${2 * day + 30} ${2 * day + 900} completed wait 30 text`,
      ],
    ],
  },
  {
    name: 'WhatsApp that an agent transfers to a queue by a new invite of the interaction',
    write(w) {
      const attributes = {
        channelType: 'whatsapp',
        conversationSid: w.sid('CH', 'c'),
        flexInteractionSid: w.sid('KD', 'k'),
      };
      const first = w.task('t1', attributes, 'chat');
      w.queued(0, first);
      const ada = w.offer(1, first, 'ada');
      w.accept(5, ada);
      const second = w.task('t2', attributes, 'chat');
      w.queued(60, second, 'Sales').wrap(61, ada).complete(62, ada);
      w.segment(second, 'bert', 70, 75, 300);
      w.closesConversation(301, w.sid('CH', 'c'));
    },
    contacts: [
      [
        'whatsapp text inbound 0 5 301 wait 5',
        'ada routing @Support 1 5 61 completed wait 5 text',
        'bert routing @Sales 70 75 300 completed wait 15 text',
      ],
    ],
  },
  {
    name: 'an agent who is invited to a chat declines: the task is canceled, the conversation lasts',
    write(w) {
      const attributes = {
        channelType: 'web',
        conversationSid: w.sid('CH', 'c'),
        flexInteractionSid: w.sid('KD', 'k'),
      };
      const first = w.task('t1', attributes, 'chat');
      w.queued(0, first);
      w.accept(5, w.offer(1, first, 'ada'));
      const invite = w.task('t2', attributes, 'chat');
      w.queued(60, invite);
      const bert = w.offer(61, invite, 'bert');
      w.offerEnds(70, bert, 'rejected');
      w.of(70, invite, 'task.canceled', 'canceled', {
        reason: 'known agent declined',
        task_canceled_reason: 'known agent declined',
      });
    },
    contacts: [
      [
        'web text inbound 0 5 - wait 5 declined-invite',
        'ada routing @Support 1 5 - open wait 5 text',
        'bert routing @Support 61 - 70 rejected not-accepted',
      ],
    ],
  },
  {
    name: 'parked and taken up again: the task ends, and the conversation stays open',
    write(w) {
      const attributes = {
        channelType: 'web',
        conversationSid: w.sid('CH', 'c'),
        flexInteractionSid: w.sid('KD', 'k'),
      };
      const first = w.task('t1', attributes, 'chat');
      w.queued(0, first);
      w.segment(first, 'ada', 1, 5, 60);
      w.of(65, first, 'task.completed', 'completed', { task_completed_reason: 'parked' });
    },
    contacts: [['web text inbound 0 5 - wait 5', 'ada routing @Support 1 5 60 completed wait 5 text']],
  },
  {
    name: 'the former chat: a channel that no event of Conversations closes',
    write(w) {
      const task = w.task('t', { channelType: 'web', channelSid: w.sid('CH', 'c'), chat: 'yes' }, 'chat');
      w.queued(0, task);
      w.segment(task, 'ada', 1, 5, 60);
      w.of(65, task, 'task.completed', 'completed');
    },
    contacts: [['web text inbound 0 5 - wait 5', 'ada routing @Support 1 5 60 completed wait 5 text']],
  },
  {
    name: 'e-mail, in a channel of its own',
    write(w) {
      const attributes = {
        channelType: 'email',
        conversationSid: w.sid('CH', 'c'),
        from: 'customer@example.com',
        emailSubject: 'x',
      };
      const task = w.task('t', attributes, 'email');
      w.queued(0, task);
      w.segment(task, 'ada', 1, 5, 600);
      w.closesConversation(605, w.sid('CH', 'c'));
    },
    contacts: [['email text inbound 0 5 605 wait 5', 'ada routing @Support 1 5 600 completed wait 5 text']],
  },
  {
    name: 'a survey after a chat, in the same channel',
    write(w) {
      const attributes = { channelType: 'web', channelSid: w.sid('CH', 'c') };
      const task = w.task('t', attributes, 'chat');
      w.queued(0, task);
      w.segment(task, 'ada', 1, 5, 60);
      const survey = w.task(
        's',
        { ...attributes, conversations: { conversation_id: task.sid, kind: 'Survey', virtual: 'Yes' } },
        'survey',
      );
      w.queued(61, survey, 'Survey').of(200, survey, 'task.canceled', 'canceled', {
        task_canceled_reason: 'CSAT saved',
      });
      w.closesConversation(201, w.sid('CH', 'c'));
    },
    contacts: [
      ['web text inbound 0 5 201 wait 5 survey', 'ada routing @Support 1 5 60 completed wait 5 text'],
    ],
  },
  {
    name: 'an agent writes first',
    write(w) {
      const task = w.task(
        't',
        {
          direction: 'outbound',
          channelType: 'sms',
          conversationSid: w.sid('CH', 'c'),
          flexInteractionSid: w.sid('KD', 'k'),
        },
        'sms',
      );
      w.queued(0, task);
      w.segment(task, 'ada', 0, 1, 60);
      w.closesConversation(90, w.sid('CH', 'c'));
    },
    contacts: [['sms text outbound 0 1 90', 'ada outbound @Support 0 1 60 completed text']],
  },
  {
    name: 'a conversation that no agent gets, and that a timer closes',
    write(w) {
      const task = w.task('t', { channelType: 'sms', conversationSid: w.sid('CH', 'c') }, 'sms');
      w.conversation(0, 'conversation.added', w.sid('CH', 'c'), { State: 'active' });
      w.queued(1, task).closesConversation(3600, w.sid('CH', 'c'), 'inactive', 'TIMER');
      w.of(3600, task, 'task.canceled', 'canceled', {
        reason: 'Task TTL Exceeded',
        task_canceled_reason: 'Task TTL Exceeded',
      });
    },
    contacts: [['sms text inbound 1 - 3600 wait 3599 inactive diverted']],
  },
];
