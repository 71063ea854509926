import { newSid } from '../sids.ts';
import { noteCreation, type Task, touchTask, type World } from '../world.ts';
import { taskRouterEvent } from './taskrouter.ts';

const queue = 'Survey';

/**
 * A customer's answer to a survey, as a task of its own: it names the task that it is about, gets the answer some seconds
 * later, and ends as canceled.
 * @returns the survey's task
 */
export function answerSurvey(world: World, { about, score }: { about: Task; score: number }): Task {
  const at = world.clock.now();
  const attributes = (answer: object) =>
    JSON.stringify({
      isSurveyTask: true,
      channelType: (JSON.parse(about.attributes) as { channelType?: unknown }).channelType,
      conversations: { conversation_id: about.sid, kind: 'Survey', virtual: 'Yes', ...answer },
    });
  const task: Task = {
    sid: newSid('WT'),
    attributes: attributes({}),
    status: 'pending',
    queue,
    version: 0,
    createdAt: at,
    updatedAt: at,
  };
  world.tasks.set(task.sid, task);
  noteCreation(world, task, task.attributes);
  const known = world.taskEvents.get(task.sid);
  const tell = (type: string, more?: Record<string, string>) =>
    taskRouterEvent(world, type, { at: world.clock.now(), task: { ...task }, ...(more && { more }) });
  const made = [
    taskRouterEvent(world, 'task.created', { at, task: { ...task }, ...(known && { known }) }),
    tell('task-queue.entered'),
  ];
  const answer = { conversation_attribute_1: 'How was our service?', conversation_measure_1: score };
  touchTask(task, { attributes: attributes(answer) });
  made.push(tell('task.updated'));
  touchTask(task, { status: 'canceled' });
  made.push(tell('task.canceled', { task_canceled_reason: 'CSAT saved' }));
  world.agentEvents.add(task.sid, made);
  return task;
}
