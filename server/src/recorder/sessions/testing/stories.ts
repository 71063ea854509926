import { Story, type StoryAgent, type StoryTask } from './story.ts';

/** One voice contact with its parts, for tests that look at them. */
export interface Scene {
  story: Story;
  task: StoryTask;
  agents: StoryAgent[];
}

/** Arrives, waits in a queue, is offered to A and rejected, offered to B and accepted, on hold for 40 s, completed. */
export function inbound(seed = 1): Scene {
  const story = new Story(seed);
  const task = story.inboundCall('Support');
  story.wait(10);
  const anna = task.offer('anna');
  story.wait(5);
  anna.reject();
  const bert = task.offer('bert');
  story.wait(4);
  bert.accept();
  story.wait(20);
  bert.hold();
  story.wait(40);
  bert.unhold();
  story.wait(30);
  task.hangUp();
  bert.wrapUp();
  story.wait(15);
  bert.complete();
  task.complete();
  return { story, task, agents: [anna, bert] };
}

/** A hands over to the queue Billing and stays until C has accepted. */
export function warmTransfer(seed = 2): Scene {
  const story = new Story(seed);
  const task = story.inboundCall('Support');
  story.wait(7);
  const anna = task.offer('anna');
  story.wait(3);
  anna.accept();
  story.wait(60);
  anna.hold();
  story.wait(5);
  anna.transfer('WARM', 'Billing');
  story.wait(12);
  const cleo = task.offer('cleo');
  story.wait(8);
  cleo.accept();
  anna.transferEvent('completed', 'WARM', 'complete');
  story.wait(15);
  anna.unhold();
  story.wait(2);
  anna.wrapUp('assigned').complete();
  story.wait(90);
  task.hangUp();
  cleo.wrapUp();
  story.wait(5);
  cleo.complete();
  task.complete();
  return { story, task, agents: [anna, cleo] };
}

/** A asks C, who leaves; A completes the call. */
export function consult(seed = 3): Scene {
  const story = new Story(seed);
  const task = story.inboundCall('Support');
  story.wait(4);
  const anna = task.offer('anna').accept();
  story.wait(30);
  anna.hold();
  anna.transfer('WARM', 'Billing');
  story.wait(6);
  const cleo = task.offer('cleo').accept();
  story.wait(25);
  cleo.wrapUp('assigned').complete();
  anna.unhold();
  story.wait(20);
  task.hangUp();
  anna.wrapUp().complete();
  task.complete();
  return { story, task, agents: [anna, cleo] };
}

/** A leaves at once; her reservation wraps up while the same task is reserved for D. One attempt fails before. */
export function coldTransfer(seed = 4): Scene {
  const story = new Story(seed);
  const task = story.inboundCall('Support');
  story.wait(9);
  const anna = task.offer('anna').accept();
  story.wait(50);
  anna.transfer('COLD', 'Sales');
  anna.wrapUp('reserved');
  story.wait(1);
  const eve = task.offer('eve');
  anna.transferEvent('attempt-failed', 'COLD', 'initiated');
  story.wait(2);
  eve.rescind();
  const dora = task.offer('dora');
  anna.complete();
  story.wait(11);
  dora.accept();
  anna.transferEvent('completed', 'COLD', 'complete');
  story.wait(40);
  task.hangUp();
  dora.wrapUp().complete();
  task.complete();
  return { story, task, agents: [anna, eve, dora] };
}

/** Two queues before the first agent, one more search after her. */
export function requeued(seed = 5): Scene {
  const story = new Story(seed);
  const task = story.inboundCall('First');
  story.wait(30);
  task.event('task-queue.timeout');
  task.enter('Second');
  story.wait(12);
  const anna = task.offer('anna').accept();
  story.wait(20);
  anna.wrapUp('pending').complete();
  task.requeue('Third');
  story.wait(18);
  const bert = task.offer('bert').accept();
  story.wait(25);
  task.hangUp();
  bert.wrapUp().complete();
  task.complete();
  return { story, task, agents: [anna, bert] };
}

export function outbound(seed = 6, answered = true): Scene {
  const story = new Story(seed);
  const { task, agent } = story.outboundCall('anna');
  story.wait(14);
  if (answered) task.answer();
  story.wait(answered ? 45 : 10);
  task.hangUp(answered ? 'completed' : 'no-answer');
  agent.wrapUp().complete();
  task.complete();
  return { story, task, agents: [agent] };
}

/** Two tasks; the attribute `conferenceSid` of the second holds the SID of the first. */
export function internalCall(seed = 7): Scene & { second: StoryTask } {
  const story = new Story(seed);
  const { task, agent: anna } = story.outboundCall('anna', { client_call: true });
  story.wait(1);
  const second = story.moreTask('voice', 'Internal', { client_call: true, conferenceSid: task.sid });
  story.wait(3);
  const bert = second.offer('bert').accept();
  story.wait(33);
  anna.wrapUp().complete();
  task.complete();
  bert.wrapUp().complete();
  second.complete();
  return { story, task, second, agents: [anna, bert] };
}

/** The caller leaves after 25 s in the queue. */
export function abandoned(seed = 8): Scene {
  const story = new Story(seed);
  const task = story.inboundCall('Support');
  story.wait(15);
  const anna = task.offer('anna');
  story.wait(10);
  task.hangUp();
  story.voice('twiml.enqueue.finished', { CallSid: task.call, QueueTime: '25', QueueResult: 'hangup' });
  task.status = 'canceled';
  anna.event('canceled');
  task.cancel('hangup');
  return { story, task, agents: [anna] };
}

/** After a call its survey is a task of its own, which ends as canceled. */
export function surveyed(seed = 9): Scene & { survey: StoryTask } {
  const { story, task, agents } = inbound(seed);
  story.wait(3);
  const surveyTask = story.moreTask('voice', 'Survey', {
    isSurveyTask: true,
    conversations: { conversation_id: task.sid, virtual: 'Yes' },
  });
  story.wait(60);
  surveyTask.cancel('CSAT saved');
  return { story, task, agents, survey: surveyTask };
}

/** A text conversation over two days; A leaves it, the reply is a new task for B, then the conversation is closed. */
export function chat(seed = 10): Scene & { second: StoryTask } {
  const story = new Story(seed);
  const task = story.conversation('Chat', { language: 'de-DE' });
  story.wait(20);
  const anna = task.offer('anna').accept();
  story.conversationEvent('message.added', task.conversation, { MessageSid: story.sid('IM') });
  story.wait(300);
  anna.wrapUp().complete();
  task.complete('left');
  task.close('inactive');
  story.wait(26 * 3600);
  const second = story.moreTask('chat', 'Chat', { channelSid: task.conversation }, task.conversation);
  story.wait(9);
  const bert = second.offer('bert').accept();
  story.wait(120);
  bert.wrapUp().complete();
  second.complete();
  task.close();
  return { story, task, second, agents: [anna, bert] };
}

/** An invited agent declines: her task is canceled, the conversation lasts. */
export function declinedInvite(seed = 11): Scene & { invite: StoryTask } {
  const story = new Story(seed);
  const task = story.conversation();
  const anna = task.offer('anna').accept();
  story.wait(50);
  const invite = story.moreTask('chat', 'Invites', task.attributes);
  const bert = invite.offer('bert');
  story.wait(5);
  bert.reject();
  invite.cancel('agent declined the invite');
  return { story, task, invite, agents: [anna, bert] };
}

/** The agent leaves caller and external party to themselves. */
export function externalTransfer(seed = 12): Scene {
  const story = new Story(seed);
  const task = story.inboundCall('Support');
  story.wait(5);
  const anna = task.offer('anna').accept();
  story.wait(30);
  task.conferenceEvent('participant-join', { ParticipantSid: story.sid('CA') });
  story.wait(10);
  anna.wrapUp().complete();
  task.complete();
  story.wait(400);
  task.hangUp();
  task.conferenceEvent('conference-end');
  return { story, task, agents: [anna] };
}

/** Whole contacts of every shape. */
export const stories: Readonly<Record<string, (seed: number) => Scene>> = {
  inbound,
  warmTransfer,
  consult,
  coldTransfer,
  requeued,
  outbound: (seed) => outbound(seed),
  unanswered: (seed) => outbound(seed, false),
  internalCall,
  abandoned,
  surveyed,
  chat,
  declinedInvite,
  externalTransfer,
};
