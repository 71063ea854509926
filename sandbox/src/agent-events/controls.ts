import type { FastifyInstance } from 'fastify';
import { bodyOf, choice, flag, number, read, text } from '../controls-body.ts';
import type { Exchange } from '../live/contract.ts';
import { everyone } from '../live/parameters.ts';
import { viewLiveCall } from '../live/view.ts';
import { Refused } from '../refused.ts';
import { eventTypes } from '../rest/event-types.ts';
import { newSid } from '../sids.ts';
import type { World } from '../world.ts';
import { cloudEvent } from './forms.ts';
import type { EventStreams } from './send.ts';
import { stories, tellStory } from './stories.ts';
import { subscribeWebhook } from './subscribe.ts';
import { taskRouterEvent } from './taskrouter.ts';

/** `/sandbox/stories` and `/sandbox/agent-events`: calls that take an hour, and how Event Streams misbehaves. */
export function agentEventControls(
  app: FastifyInstance,
  { world, exchange, streams }: { world: World; exchange: Exchange; streams: EventStreams },
): void {
  app.post('/sandbox/stories', async (request) => {
    const body = bodyOf(request.body);
    const task = tellStory(
      { world, exchange },
      {
        story: choice(body, 'story', 'answered', stories),
        waitSeconds: number(body, 'waitSeconds', 10, 0, 86_400),
        talkSeconds: number(body, 'talkSeconds', 60, 0, 86_400),
        holdSeconds: number(body, 'holdSeconds', 60, 0, 86_400),
        open: flag(body, 'open', false),
        queue: text(body, 'queue') ?? everyone,
      },
    );
    return viewLiveCall(world, task, () => []);
  });

  app.get('/sandbox/agent-events', async (request) => {
    const { task } = request.query as { task?: string };
    const found = task === undefined ? world.agentEvents.all() : world.agentEvents.ofTask(task);
    return {
      events: found.slice(-1_000).map((event) => cloudEvent(world, event, 4)),
      lost: streams.lost.map(({ id, type }) => ({ id, type })),
    };
  });
  /** An event that no call makes, such as TaskRouter's rate limits. */
  app.post('/sandbox/agent-events', async (request) => {
    const body = bodyOf(request.body);
    const type = text(body, 'type') ?? '';
    if (!eventTypes.has(type)) throw new Refused('"type" must be a type that Event Streams has');
    const data = read(body, 'data', {}, isFields, 'an object');
    const event = { id: newSid('EZ'), type, at: world.clock.now(), data };
    world.agentEvents.add('', [event]);
    return cloudEvent(world, event, 1);
  });
  app.post<{ Params: { sid: string } }>('/sandbox/workers/:sid/activity', async (request) => {
    const worker = world.workers.get(request.params.sid);
    const name = text(bodyOf(request.body), 'name');
    if (!worker || name === undefined) throw new Refused('a worker and the "name" of an activity are needed');
    const event = taskRouterEvent(world, 'worker.activity.update', {
      at: world.clock.now(),
      more: {
        worker_sid: worker.sid,
        worker_name: worker.friendlyName,
        worker_attributes: worker.attributes,
        worker_activity_name: name,
      },
    });
    world.agentEvents.add('', [event]);
    return cloudEvent(world, event, 4);
  });
  app.get('/sandbox/agent-events/behaviour', async () => streams.misbehaviour);
  app.post('/sandbox/agent-events/behaviour', async (request) => {
    const body = bodyOf(request.body);
    const now = streams.misbehaviour;
    streams.misbehave({
      loseOneIn: number(body, 'loseOneIn', now.loseOneIn, 0, 1_000_000),
      duplicateOneIn: number(body, 'duplicateOneIn', now.duplicateOneIn, 0, 1_000_000),
      shuffle: flag(body, 'shuffle', now.shuffle),
      delayMs: number(body, 'delayMs', now.delayMs, 0, 600_000),
      without: read(body, 'without', now.without, isTexts, 'a list of texts'),
      batch: Math.floor(number(body, 'batch', now.batch, 1, 1_000)),
      seed: Math.floor(number(body, 'seed', now.seed, 0, 2 ** 31)),
    });
    return streams.misbehaviour;
  });
  app.get('/sandbox/sinks', async () => ({
    sinks: [...world.sinks.values()],
    subscriptions: [...world.subscriptions.values()].map((one) => ({ ...one, types: [...one.types] })),
  }));
  /** What `recorder setup` ends in, at once: every type goes to one webhook. */
  app.post('/sandbox/sinks', async (request) => {
    const destination = text(bodyOf(request.body), 'destination');
    if (destination === undefined) throw new Refused('the "destination" of a webhook is needed');
    return subscribeWebhook(world, destination);
  });
  app.post<{ Params: { sid: string } }>('/sandbox/sinks/:sid', async (request) => {
    const sink = world.sinks.get(request.params.sid);
    if (!sink) throw new Refused('there is no such sink here', 404);
    sink.status = choice(bodyOf(request.body), 'status', sink.status, [
      'initialized',
      'validating',
      'active',
      'failed',
    ]);
    return sink;
  });
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');

const isFields = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
